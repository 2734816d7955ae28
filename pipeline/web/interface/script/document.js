/* One document: its head, its notices, the panes with its fields, its page and its rows, and how it was read. */

/** Shows a document, or what to do without one. The page that was open stays open where it is the same document. */
function showDocument(item, focus) {
  const hasPages = Boolean(main.querySelector(".page-figure"));
  const again = item && item === current && main.querySelector(".values") && hasPages === drawnPages(item).length > 0; // else it has been read since
  if (current && current.link) current.link.removeAttribute("aria-current");
  const scrolled = again ? [main.querySelector(".values").scrollTop, $("main").scrollTop, scrollY] : null;
  const kept = again ? selected : null, hadFocus = again && main.querySelector(".values").contains(document.activeElement);
  current = item;
  selected = null;
  followAnswers(item);
  app.classList.toggle("document-open", Boolean(item));
  document.title = item ? `${item.base} – ${t("Review")}` : t("Review");
  if (!item) {
    main.replaceChildren(make("p", { class: "empty" }, listed.length || documents.length ? t("No document is selected.") : source.editable ? t("No document needs a check.") : t("No document needs a review, or no document was read.")));
    return;
  }
  item.boxes = new Map();
  item.rows = new Map();
  const values = make("div", { class: "values" }, item.results.map((result, n) => resultSection(item, result, n)), pageTable(item), ...extras(item), provenance(item));
  const parts = [documentHead(item), values];
  if (again) {
    main.querySelector(".document-head").replaceWith(parts[0]);
    main.querySelector(".values").replaceWith(values);
    showTables(item);
    refreshBoxes();
    refreshPlaces();
    [values.scrollTop, $("main").scrollTop] = scrolled;
    if (kept) select(kept, { row: true, focus: hadFocus });
  } else {
    main.replaceChildren(...parts, pagesPane(item), make("div", { class: "tables" }));
    showTables(item);
  }
  listEntry(item);
  item.link.setAttribute("aria-current", "true");
  if (again) return;
  if (!narrow.matches) item.link.scrollIntoView({ block: "nearest" });
  else scrollTo(0, 0);
  if (focus === "list" && !narrow.matches && item.link.isConnected) item.link.focus({ preventScroll: true });
  else if (focus) (main.querySelector("#unlock input") || main.querySelector("h2")).focus({ preventScroll: true });
  if (!wide.matches && !narrow.matches) $("main").scrollTop = 0;
}

function documentHead(item) {
  const badges = [make("span", { class: `badge ${item.status === "done" ? "good" : item.status === "waiting" ? "" : "bad"}` }, stateText(item.status))];
  if (settled(item)) badges.push(make("span", { class: "badge good", title: approvalText(item) }, stateText(item.approvalState)));
  else if (item.reviewCount) badges.push(make("span", { class: "badge review" }, t("{count} to review", { count: number(item.reviewCount) })));
  const facts = [Object.keys(item.recipes).map(spoken).join(", "), item.kind.toUpperCase(), plural(item.pages, "page"), item.published && t("read {time}", { time: time(item.published) }), item.engine].filter(Boolean).join(" · ");
  const at = listed.indexOf(item);
  const stepButton = (by, text, label) => make("button", { type: "button", class: "plain", "aria-label": label, disabled: at < 0 ? !listed[0] || by < 0 : !listed[at + by], on: { click: () => step(by) } }, text);
  const next = listed.some((other) => other.reviewCount) ? make("button", { type: "button", class: "plain first", on: { click: () => stepToReview(1) } }, t("Next to review")) : null;
  return make("header", { class: "document-head" },
    make("div", { class: "row" }, make("h2", { tabindex: "-1" }, item.base), badges,
      make("div", { class: "steps" }, make("button", { type: "button", class: "plain back", "aria-label": t("Back to the list of documents"), on: { click: backToList } }, `‹ ${t("List")}`), stepButton(-1, "‹", t("Previous document")), stepButton(1, "›", t("Next document")), next, approveButton(item))),
    make("p", { class: "soft links" }, make("span", {}, item.folder ? `${item.folder}/ · ${facts}` : facts), downloads(item)), settled(item) ? make("p", { class: "corrected" }, approvalText(item)) : null, notices(item));
}

function backToList() {
  const before = current;
  if (!source.editable) source.go(null);
  showDocument(null);
  if (before && before.link) before.link.focus();
}

function downloads(item) {
  if (!source.editable || item.status === "waiting") return [];
  const sheets = item.results.filter((result) => !result.question).map((result) => make("a", { href: `/sheets/${encodeURIComponent(result.template)}.csv`, download: true }, `${result.template}.csv`));
  return [make("a", { href: `/documents/${item.id}/result.json`, download: true }, "JSON"), ...sheets];
}

function notices(item) {
  const paragraphs = [];
  const cure = (problem) => (problem.cure ? [" ", make("span", { class: "do" }, `${t("What to do:")} ${problem.cure}`)] : "");
  const failed = item.page_list.filter((page) => page.status === "failed" || page.status === "skipped");
  if (isUnlocked(item)) paragraphs.push(make("p", { class: "notice" }, t("The password is right. The document waits to be read.")));
  else if (item.lock && source.mayChange) paragraphs.push(make("p", { class: "notice bad" }, make("b", {}, `${t("Not read:")} ${reasonText("needs_password")}`)));
  else if (!failed.length && item.reason) paragraphs.push(make("p", { class: "notice bad" }, make("b", {}, `${t("Not read:")} ${reasonText(item.reason)}`), item.detail ? `: ${item.detail}.` : ".", cure(item)));
  const groups = new Map();
  for (const page of failed) {
    const key = `${page.status}\n${page.reason || ""}\n${page.detail || ""}`;
    groups.set(key, [...(groups.get(key) || []), page]);
  }
  for (const group of [...groups.values()].slice(0, 5)) {
    const numbers = group.map((page) => page.page), numberList = numbers.length > 12 ? `${numbers.slice(0, 12).join(", ")}, …` : numbers.join(", ");
    paragraphs.push(make("p", { class: "notice bad" }, make("b", {}, `${numbers.length > 1 ? t("Pages {pages}", { pages: numberList }) : t("Page {page}", { page: numberList })} ${stateText(group[0].status)}: ${reasonText(group[0].reason)}`), group[0].detail ? `: ${group[0].detail}.` : ".", cure(group[0])));
  }
  if (source.editable && isTextOnly(item) && item.status === "done" && !settled(item)) paragraphs.push(make("p", { class: "notice" }, t("It is none of the kinds with fields, so only its text was read. If it is an invoice or a receipt, say so under “Read again”.")));
  if (item.original === "gone") paragraphs.push(make("p", { class: "notice" }, t("The original is no longer where it was read, so its pages cannot be shown.")));
  if (item.original === "changed") paragraphs.push(make("p", { class: "notice" }, t("The original was changed since it was read, so its pages cannot be shown. What to do: pipeline run reads it again.")));
  if (item.status === "waiting") paragraphs.push(make("p", { class: "notice" }, t("It has not been read yet.")));
  paragraphs.push(...lockParts(item));
  if (item.reader) paragraphs.push(make("p", { class: "notice" }, item.reader));
  return paragraphs;
}

function pageTable(item) {
  if (item.page_list.length < 2 && item.page_list.every((page) => page.status === "done")) return null;
  const cells = item.page_list.map((page) => make("tr", {}, make("td", { class: "n" }, String(page.page)), make("td", {}, stateText(page.status)), make("td", {}, page.source || ""), make("td", { class: "n" }, seconds(page.seconds)), make("td", {}, page.undrawn ? t("not drawn: {reason}", { reason: page.undrawn }) : reasonText(page.reason))));
  const heads = make("tr", {}, [[t("page"), true], [t("status")], [t("words from")], [t("time"), true], [t("reason")]].map(([name, numeric]) => make("th", { scope: "col", class: numeric ? "n" : null }, name)));
  return make("section", { "aria-labelledby": "pages-title" }, make("h3", { id: "pages-title" }, t("Pages")), make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": t("Pages and their status") }, make("table", {}, make("thead", {}, heads), make("tbody", {}, cells))));
}

function provenance(item) {
  if (!item.engine && !item.sha256) return null;
  const [engine, ...rest] = item.engine.split(" "), model = rest.join(" ").split("@");
  const readingSeconds = item.page_list.reduce((sum, page) => sum + page.seconds, 0);
  const facts = [[t("file"), item.path], ["sha256", make("code", {}, item.sha256)], [t("engine"), engine], [t("model"), rest.length ? model[0] : ""], [t("revision"), model.slice(1).join("@")],
    ...Object.entries(item.recipes).map(([template, recipe]) => [t("recipe, {template}", { template }), make("code", {}, recipe)]),
    [t("started"), time(item.started)], [t("finished"), time(item.finished)], [t("reading time"), readingSeconds ? t("{time} for {pages}", { time: seconds(readingSeconds), pages: plural(item.page_list.length, "page") }) : ""],
    [t("words from"), [...new Set(item.page_list.map((page) => page.source).filter(Boolean))].join(", ")],
    [t("versions"), Object.entries(item.versions).map(([name, version]) => `${name} ${version}`).join(", ")]];
  return make("details", {}, make("summary", {}, t("How it was read")), make("dl", { class: "facts" }, facts.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])));
}
