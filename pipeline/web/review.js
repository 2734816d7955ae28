"use strict";
/* Lists documents, shows one of them, and links values with their boxes. Texts of documents become text nodes and descriptive attributes,
   never markup, style or URLs; the page's policy refuses everything else. */
(() => {
  const $ = (id) => document.getElementById(id);
  const { documents, about } = JSON.parse($("data").textContent);
  const app = $("app"), list = $("list"), main = $("document");
  const wide = matchMedia("(min-width: 72rem)"), narrow = matchMedia("(max-width: 47.99rem)");
  const groundings = { exact: "as printed", value: "same value", fuzzy: "similar text", none: "not found on the page" };
  const states = { all: "All", review: "To review", failed: "Failed", clear: "Clear" };
  let listed = [], current = null, selected = null, large = false;

  /* ---- elements ---- */

  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name === "class") element.className = value;
      else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
    return element;
  }

  function vector(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const time = (text) => (text ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : "");
  const seconds = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} s`;
  const announce = (text) => { $("message").textContent = text; };

  /* ---- the state of each document ---- */

  for (const [index, item] of documents.entries()) {
    item.index = index;
    item.fields = item.results.flatMap((result) => result.fields);
    item.reviewCount = item.fields.filter((field) => field.reasons).length;
    item.state = item.status !== "done" ? "failed" : item.reviewCount ? "review" : "clear";
    const slash = item.name.lastIndexOf("/");
    item.base = item.name.slice(slash + 1);
    item.folder = item.name.slice(0, Math.max(0, slash));
  }

  function searchText(item) {
    if (item.searchText === undefined) {
      const texts = [item.name, item.status, item.reason, item.detail, ...Object.keys(item.recipes)];
      for (const field of item.fields) {
        texts.push(field.name, field.value, field.printed, ...(field.items || []), ...(field.reasons || []));
        if (field.table) texts.push(...field.table.rows.flat());
      }
      item.searchText = texts.filter(Boolean).join("\n").toLowerCase();
    }
    return item.searchText;
  }

  /* ---- the list ---- */

  function tag(item) {
    if (item.status !== "done") return make("span", { class: "tag bad" }, item.status + (item.reviewCount ? ` · ${item.reviewCount}` : ""));
    if (item.reviewCount) return make("span", { class: "tag review" }, `${item.reviewCount} to review`);
    return make("span", { class: "tag good" }, make("span", { "aria-hidden": "true" }, "✓"), make("span", { class: "hidden" }, "clear"));
  }

  function listEntry(item) {
    if (!item.listEntry) {
      const short = item.fields.find((field) => field.value && field.value.length < 60);
      const under = [item.reason || "", Object.keys(item.recipes).join(", "), short ? short.value : "", item.folder].filter(Boolean).join(" · ");
      item.link = make("a", { class: "item", href: `#d${item.index}` }, make("span", { class: "name" }, item.base), tag(item), make("span", { class: "under" }, under));
      item.listEntry = make("li", {}, item.link);
    }
    return item.listEntry;
  }

  const state = () => document.querySelector("#states input:checked").value;
  const fits = (item, which) => which === "all" || item.state === which || (which === "review" && item.reviewCount > 0);
  const orders = {
    urgent: (a, b) => (b.state !== "clear") - (a.state !== "clear") || a.index - b.index,
    latest: (a, b) => a.index - b.index,
    name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  };

  function filter() {
    const parts = $("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const template = $("template").value, from = $("from").value, until = $("until").value;
    const matches = documents.filter((item) =>
      (!template || template in item.recipes) && (!from || item.published.slice(0, 10) >= from) && (!until || item.published.slice(0, 10) <= until)
      && parts.every((part) => searchText(item).includes(part)));
    for (const which of Object.keys(states)) $(`count-${which}`).textContent = matches.filter((item) => fits(item, which)).length.toLocaleString("en");
    listed = matches.filter((item) => fits(item, state())).sort(orders[$("order").value]);
    list.replaceChildren(...listed.map(listEntry));
    $("count").textContent = listed.length === documents.length ? plural(listed.length, "document") : `${listed.length.toLocaleString("en")} of ${plural(documents.length, "document")}`;
  }

  /* ---- one document ---- */

  function showDocument(item, focus) {
    if (current && current.link) current.link.removeAttribute("aria-current");
    current = item;
    selected = null;
    app.classList.toggle("document-open", Boolean(item));
    document.title = item ? `${item.base} – Review` : "Review";
    main.replaceChildren(...(item ? documentParts(item) : [make("p", { class: "empty" }, documents.length ? "No document is selected." : "No document needs a review, or no document was read.")]));
    if (!item) return;
    listEntry(item);
    item.link.setAttribute("aria-current", "true");
    if (!narrow.matches) item.link.scrollIntoView({ block: "nearest" });
    else scrollTo(0, 0);
    if (focus === "list" && !narrow.matches) item.link.focus({ preventScroll: true });
    else if (focus) main.querySelector("h2").focus({ preventScroll: true });
    if (!wide.matches && !narrow.matches) $("main").scrollTop = 0;
  }

  function documentParts(item) {
    const drawn = item.page_list.filter((page) => page.size);
    item.boxes = new Map();
    item.rows = new Map();
    const values = make("div", { class: "values" }, item.results.map((result, n) => resultSection(item, result, n)), pageTable(item), provenance(item));
    const figures = [...drawn.map((page) => pageFigure(item, page)), ...item.results.filter((result) => result.chart).map(chartFigure)];
    const pages = make("div", { class: large ? "pages large" : "pages", role: "region", "aria-label": "Pages", tabindex: "0" }, figures.length ? figures : make("p", { class: "soft" }, missingImageReason(item)));
    return [documentHead(item), values, pages];
  }

  function documentHead(item) {
    const badges = [make("span", { class: `badge ${item.status === "done" ? "good" : "bad"}` }, item.status)];
    if (item.reviewCount) badges.push(make("span", { class: "badge review" }, `${item.reviewCount} to review`));
    const facts = [Object.keys(item.recipes).join(", "), item.kind.toUpperCase(), plural(item.pages, "page"), item.published && `read ${time(item.published)}`, item.engine].filter(Boolean).join(" · ");
    const at = listed.indexOf(item);
    const stepButton = (by, text, label) => make("button", { type: "button", class: "plain", "aria-label": label, disabled: !listed[at + by] || at < 0, on: { click: () => step(by) } }, text);
    const next = documents.some((other) => other.reviewCount) ? make("button", { type: "button", class: "plain first", on: { click: () => stepToReview(1) } }, "Next to review") : null;
    return make("header", { class: "document-head" },
      make("div", { class: "row" }, make("h2", { tabindex: "-1" }, item.base), badges,
        make("div", { class: "steps" }, make("a", { class: "plain back", href: "#", "aria-label": "Back to the list of documents" }, "‹ List"), stepButton(-1, "‹", "Previous document"), stepButton(1, "›", "Next document"), next)),
      make("p", { class: "soft" }, item.folder ? `${item.folder}/ · ${facts}` : facts), notices(item));
  }

  function notices(item) {
    const paragraphs = [];
    const cure = (problem) => (problem.cure ? [" ", make("span", { class: "do" }, `What to do: ${problem.cure}`)] : "");
    const failed = item.page_list.filter((page) => page.status === "failed" || page.status === "skipped");
    if (!failed.length && item.reason) paragraphs.push(make("p", { class: "notice bad" }, make("b", {}, `Not read: ${item.reason}`), item.detail ? `: ${item.detail}.` : ".", cure(item)));
    const groups = new Map();
    for (const page of failed) {
      const key = `${page.status}\n${page.reason || ""}\n${page.detail || ""}`;
      groups.set(key, [...(groups.get(key) || []), page]);
    }
    for (const group of [...groups.values()].slice(0, 5)) {
      const numbers = group.map((page) => page.page), numberList = numbers.length > 12 ? `${numbers.slice(0, 12).join(", ")}, …` : numbers.join(", ");
      paragraphs.push(make("p", { class: "notice bad" }, make("b", {}, `${numbers.length > 1 ? "Pages" : "Page"} ${numberList} ${group[0].status}: ${group[0].reason || ""}`), group[0].detail ? `: ${group[0].detail}.` : ".", cure(group[0])));
    }
    if (item.original === "gone") paragraphs.push(make("p", { class: "notice" }, "The original is no longer where it was read, so its pages cannot be shown."));
    if (item.original === "changed") paragraphs.push(make("p", { class: "notice" }, "The original was changed since it was read, so its pages cannot be shown. What to do: pipeline run reads it again."));
    return paragraphs;
  }

  function missingImageReason(item) {
    const undrawn = item.page_list.find((page) => page.undrawn);
    if (item.original !== "there") return `The original is ${item.original === "gone" ? "no longer there" : "changed"}: the values are listed without their pages.`;
    if (undrawn) return `Page ${undrawn.page} cannot be drawn: ${undrawn.undrawn}.`;
    if (item.page_list.some((page) => page.status === "done")) return "No page image: the file would be too large. `pipeline review` with the path of this document makes a file with its pages.";
    return "There is no page to show.";
  }

  /* ---- values ---- */

  function resultSection(item, result, n) {
    const present = result.fields.filter((field) => field.value !== undefined || field.items || field.table || field.reasons);
    const absent = result.fields.filter((field) => !present.includes(field)).map((field) => field.name);
    return make("section", { "aria-labelledby": `t${n}` }, make("h3", { id: `t${n}` }, result.template), result.question ? make("p", { class: "soft" }, result.question) : null,
      present.length ? make("ol", { class: "fields" }, present.map((field) => fieldRow(item, field, `${n}-${result.fields.indexOf(field)}`))) : null,
      absent.length ? make("p", { class: "absent" }, `Not on the document: ${absent.join(", ")}`) : null);
  }

  function fieldRow(item, field, key) {
    const button = make("button", { type: "button", class: "label", "aria-pressed": "false", "aria-describedby": `v${key}` }, field.name);
    const confidence = field.confidence === undefined ? null : make("span", { class: field.reasons ? "confidence low" : "confidence", "aria-hidden": "true" }, make("i"));
    if (confidence) confidence.firstChild.style.width = `${Math.round(100 * field.confidence)}%`;
    const from = make("p", { class: "from" }, confidence && make("span", { title: field.value === undefined && !field.items && !field.table ? "probability that the document has none" : "probability that the value is right" }, confidence, `${field.confidence_percent} %`),
      field.printed && make("q", { title: "as printed", dir: "auto" }, field.printed), field.page && item.pages > 1 && make("span", {}, `page ${field.page}`), field.grounding && make("span", {}, groundings[field.grounding]));
    const element = make("li", { class: field.reasons ? "field review" : "field" }, button, fieldValue(field, key), from,
      field.reasons ? make("ul", { class: "reasons" }, field.reasons.map((reason) => make("li", {}, reason))) : null,
      field.notes ? make("p", { class: "notes" }, field.notes.join("; ")) : null);
    item.rows.set(key, { field, element, button });
    element.addEventListener("click", (event) => { if (!getSelection().toString()) select(key, { row: true, toggle: event.target === button }); });
    element.addEventListener("mouseenter", () => highlight(key, true));
    element.addEventListener("mouseleave", () => highlight(key, false));
    button.addEventListener("focus", () => highlight(key, true));
    button.addEventListener("blur", () => highlight(key, false));
    return element;
  }

  function fieldValue(field, key) {
    if (field.table) return fieldTable(field, key);
    const texts = field.items || [field.value === undefined ? "—" : field.value], long = texts.join("").length > 240;
    const content = field.items ? make("ul", {}, texts.map((text) => make("li", { dir: "auto" }, text))) : field.value === undefined ? "—" : field.value;
    return make("div", { class: long ? "value long" : "value", id: `v${key}`, dir: "auto", ...(long ? { tabindex: "0", role: "region", "aria-label": field.name } : {}) }, content);
  }

  function fieldTable(field, key) {
    const { columns, rows, ungrounded, row_count: rowCount } = field.table;
    const numeric = columns.map((_, n) => rows.every((cells) => /^(-?\d[\d.,]*%?)?$/.test(cells[n])) && rows.some((cells) => cells[n]));
    const marked = new Set(ungrounded.map(([n, m]) => `${n} ${m}`));
    const body = rows.map((cells, n) => make("tr", {}, cells.map((text, m) => make("td", { class: `${numeric[m] ? "n" : ""}${marked.has(`${n} ${m}`) ? " review" : ""}`, title: marked.has(`${n} ${m}`) ? "not found on the page" : null, dir: "auto" }, text))));
    const heads = make("tr", {}, columns.map((name, m) => make("th", { scope: "col", class: numeric[m] ? "n" : null }, name)));
    return make("div", { class: "wide", id: `v${key}` }, make("p", { class: "from" }, plural(rowCount, "row") + (rowCount > rows.length ? `, the first ${rows.length} are listed` : "")),
      make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": `${field.name}, rows` }, make("table", {}, make("thead", {}, heads), make("tbody", {}, body))));
  }

  /* ---- pages ---- */

  const imageUri = (item, page) => { const holder = $(`image-${item.index}-${page}`); return holder && holder.textContent; };
  const drawnPage = (item, number) => item.page_list.find((page) => page.page === number && page.size);

  function pageFigure(item, page) {
    const [width, height] = page.size;
    const places = new Map();
    for (const [key, { field }] of item.rows) {
      if (field.page !== page.page || !field.box) continue;
      const at = field.box.join();
      places.set(at, [...(places.get(at) || []), key]);
    }
    const area = (keys) => { const [a, b, c, d] = item.rows.get(keys[0]).field.box; return (c - a) * (d - b); };
    const boxes = [...places.values()].sort((a, b) => area(b) - area(a)).map((keys) => box(item, keys, width, height));
    const zoom = make("button", { type: "button", class: "quiet", "aria-pressed": String(large), on: { click: toggleZoom } }, "Larger ", make("kbd", {}, "z"));
    return make("figure", { "data-page": page.page }, make("figcaption", {}, `Page ${page.page}${item.pages > 1 ? ` of ${item.pages}` : ""}`, zoom),
      make("div", { class: "view" }, make("div", { class: "page-image" }, make("img", { src: imageUri(item, page.page), alt: `Page ${page.page} of ${item.base}`, width: Math.round(width), height: Math.round(height) }), boxes)));
  }

  function box(item, keys, width, height) {
    const fields = keys.map((key) => item.rows.get(key).field), review = fields.some((field) => field.reasons), big = fields[0].table || area(fields[0].box) > 0.12 * width * height;
    const label = fields.map((field) => (field.value === undefined ? field.name : `${field.name}: ${field.value.slice(0, 80)}`)).join(", ");
    const element = make("button", { type: "button", class: `box${review ? " review" : ""}${big ? " wide" : ""}`, "aria-label": label + (review ? ", to review" : ""), title: label });
    const [x0, y0, x1, y1] = fields[0].box, percent = (part, whole) => `${(100 * Math.min(Math.max(0, part), whole)) / whole}%`;
    element.style.left = percent(x0, width);
    element.style.top = percent(y0, height);
    element.style.width = percent(Math.min(x1, width) - Math.max(0, x0), width);
    element.style.height = percent(Math.min(y1, height) - Math.max(0, y0), height);
    const nextKey = () => keys[(keys.indexOf(selected) + 1) % keys.length];
    element.addEventListener("click", () => select(nextKey(), { box: true }));
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) element.addEventListener(event, () => keys.forEach((key) => highlight(key, on, event === "focus")));
    for (const key of keys) item.boxes.set(key, element);
    return element;
  }

  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);

  function chartFigure(result) {
    const data = result.fields.find((field) => field.table), rows = data ? data.table.row_count : 0;
    return make("figure", { class: "redrawn" }, make("figcaption", {}, "Drawn from the values that were read"), make("div", { class: "page-image" }, make("img", { src: result.chart, alt: `The chart drawn from ${plural(rows, "row")} of data` })));
  }

  function toggleZoom() {
    large = !large;
    const pages = main.querySelector(".pages");
    if (!pages) return;
    pages.classList.toggle("large", large);
    for (const button of pages.querySelectorAll("figcaption button")) button.setAttribute("aria-pressed", String(large));
    if (selected) scrollToBox(selected);
  }

  function pageTable(item) {
    if (item.page_list.length < 2 && item.page_list.every((page) => page.status === "done")) return null;
    const cells = item.page_list.map((page) => make("tr", {}, make("td", { class: "n" }, String(page.page)), make("td", {}, page.status), make("td", {}, page.source || ""), make("td", { class: "n" }, seconds(page.seconds)), make("td", {}, page.undrawn ? `not drawn: ${page.undrawn}` : page.reason || "")));
    const heads = make("tr", {}, ["page", "status", "words from", "time", "reason"].map((name) => make("th", { scope: "col", class: name === "page" || name === "time" ? "n" : null }, name)));
    return make("section", { "aria-labelledby": "pages-title" }, make("h3", { id: "pages-title" }, "Pages"), make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": "Pages and their status" }, make("table", {}, make("thead", {}, heads), make("tbody", {}, cells))));
  }

  function provenance(item) {
    const [engine, ...rest] = item.engine.split(" "), model = rest.join(" ").split("@");
    const readingSeconds = item.page_list.reduce((sum, page) => sum + page.seconds, 0);
    const facts = [["file", item.path], ["sha256", make("code", {}, item.sha256)], ["engine", engine], ["model", rest.length ? model[0] : ""], ["revision", model.slice(1).join("@")],
      ...Object.entries(item.recipes).map(([template, recipe]) => [`recipe, ${template}`, make("code", {}, recipe)]),
      ["started", time(item.started)], ["finished", time(item.finished)], ["reading time", readingSeconds ? `${seconds(readingSeconds)} for ${plural(item.page_list.length, "page")}` : ""],
      ["words from", [...new Set(item.page_list.map((page) => page.source).filter(Boolean))].join(", ")],
      ["versions", Object.entries(item.versions).map(([name, version]) => `${name} ${version}`).join(", ")]];
    return make("details", {}, make("summary", {}, "How it was read"), make("dl", { class: "facts" }, facts.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])));
  }

  /* ---- values and their boxes ---- */

  function highlight(key, on, scroll) {
    const row = current && current.rows.get(key), box = current && current.boxes.get(key);
    if (row) row.element.classList.toggle("hover", on);
    if (box) box.classList.toggle("hover", on);
    if (scroll && row && wide.matches) row.element.scrollIntoView({ block: "nearest" });
  }

  function select(key, how = {}) {
    if (!current) return;
    const before = selected && current.rows.get(selected);
    if (before) {
      before.element.classList.remove("on");
      before.button.setAttribute("aria-pressed", "false");
      before.element.querySelectorAll(".crop").forEach((crop) => crop.remove());
      const box = current.boxes.get(selected);
      if (box) box.classList.remove("on");
    }
    const same = selected === key;
    selected = null;
    const row = current.rows.get(key);
    if (!row || (same && how.toggle)) return;
    selected = key;
    row.element.classList.add("on");
    row.button.setAttribute("aria-pressed", "true");
    addCrop(row);
    const box = current.boxes.get(key);
    if (box) box.classList.add("on");
    if (how.focus) row.button.focus({ preventScroll: true });
    if (!how.row) row.element.scrollIntoView({ block: how.box ? "center" : "nearest" });
    if (!how.box) scrollToBox(key);
  }

  /** Scrolls the pages to the box of a value, where the pages scroll by themselves. */
  function scrollToBox(key) {
    const box = current.boxes.get(key);
    if (box && wide.matches) box.scrollIntoView({ block: "center", inline: "center" });
  }

  /** Shows the part of the page around a value below the value. */
  function addCrop({ field, element }) {
    const page = field.box && drawnPage(current, field.page);
    if (!page || field.table) return;
    const [width, height] = page.size, [x0, y0, x1, y1] = field.box;
    const across = Math.min(width, Math.max(200, x1 - x0 + 60)), down = Math.min(height, Math.max(36, y1 - y0 + 24));
    const left = Math.min(Math.max(0, (x0 + x1 - across) / 2), width - across), top = Math.min(Math.max(0, (y0 + y1 - down) / 2), height - down);
    const image = vector("image", { href: imageUri(current, field.page), x: 0, y: 0, width, height, preserveAspectRatio: "none" });
    const mark = vector("rect", { x: x0 - 2, y: y0 - 2, width: x1 - x0 + 4, height: y1 - y0 + 4, rx: 1.5 });
    element.append(make("div", { class: "crop" }, vector("svg", { viewBox: `${left} ${top} ${across} ${down}`, role: "img", "aria-label": `${field.name} as printed` }, image, mark)));
  }

  /* ---- navigation ---- */

  const setHash = (item) => location.replace(item ? `#d${item.index}` : "#");

  function step(by) {
    const at = listed.indexOf(current), next = at < 0 ? listed[0] : listed[at + by];
    if (!next) return announce(by > 0 ? "This is the last document." : "This is the first document.");
    openDocument(next, "list");
  }

  function openDocument(item, focus) {
    showDocument(item, focus);
    setHash(item);
  }

  /** Selects the next or previous value to review in the listed documents; after the last one it starts over. */
  function stepToReview(by) {
    const stops = listed.flatMap((item) => item.results.flatMap((result, n) => result.fields.flatMap((field, m) => (field.reasons ? [[item, `${n}-${m}`]] : []))));
    if (!stops.length) return announce("No value in these documents needs a review.");
    let at = stops.findIndex(([item, key]) => item === current && key === selected);
    if (at < 0) {
      const rank = (item) => listed.indexOf(item), here = current ? rank(current) : -1;
      at = by > 0 ? stops.findIndex(([item]) => rank(item) >= here) - 1 : stops.findLastIndex(([item]) => rank(item) < here) + 1;
      if (at === -2) at = -1;
    } else if ((by > 0 && at === stops.length - 1) || (by < 0 && at === 0)) announce("Starting over.");
    const [item, key] = stops[(at + by + stops.length) % stops.length];
    if (item !== current) openDocument(item);
    select(key, { focus: true });
  }

  function openFromHash() {
    const match = /^#d(\d+)$/.exec(location.hash), item = match && documents[Number(match[1])];
    if (item && item !== current) showDocument(item, "heading");
    if (!item) {
      const before = current;
      if (narrow.matches || !listed.length) showDocument(null);
      else if (!current) showDocument(listed[0]);
      if (narrow.matches && before) { const link = before.link; if (link) link.focus(); }
    }
  }

  /* ---- colours, keys, filters ---- */

  const themes = { auto: "automatic", light: "light", dark: "dark" };
  function applyTheme(theme) {
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = `Colours: ${themes[theme]}`;
    try { localStorage.setItem("pipeline-review-theme", theme); } catch { /* browsers may forbid storage to local files */ }
  }
  function storedTheme() {
    try { return localStorage.getItem("pipeline-review-theme"); } catch { return null; }
  }
  $("theme").addEventListener("click", () => { const names = Object.keys(themes); applyTheme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]); });

  const keys = {
    j: () => step(1), k: () => step(-1), n: () => stepToReview(1), N: () => stepToReview(-1), z: toggleZoom,
    "/": () => { if (narrow.matches && current) { showDocument(null); setHash(null); } $("text").focus(); $("text").select(); },
    "?": () => $("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    if (event.key === "Escape") {
      if (typing) { typing.blur(); if (current && current.link && !narrow.matches) current.link.focus(); }
      else if (selected) select(selected, { toggle: true, row: true });
      else if (narrow.matches && current) { location.hash = ""; }
      return;
    }
    if (typing || !$("keys").checked) return;
    const arrow = { ArrowDown: "j", ArrowUp: "k" }[event.key];
    if (arrow && event.target.closest("main, fieldset, summary")) return;
    const act = keys[arrow || event.key];
    if (act) { event.preventDefault(); act(); }
  });
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); if (listed[0]) openDocument(listed[0], "list"); });
  $("filters").addEventListener("input", filter);
  list.addEventListener("click", (event) => {
    const link = event.target.closest(".item"), item = link && listed.find((other) => other.link === link);
    if (item && !event.ctrlKey && !event.metaKey && !event.shiftKey) showDocument(item, narrow.matches && "heading"); // the link changes the hash
  });
  addEventListener("hashchange", openFromHash);

  for (const [which, text] of Object.entries(states)) {
    $("states").append(make("label", {}, make("input", { type: "radio", name: "state", value: which, checked: which === "all" }), `${text} `, make("b", { id: `count-${which}` })));
  }
  for (const name of [...new Set(documents.flatMap((item) => Object.keys(item.recipes)))].sort()) $("template").append(make("option", { value: name }, name));
  const notes = [`Written ${time(about.written)}`, about.selection, about.left_out ? `${plural(about.left_out, "older document")} left out` : ""];
  $("about").textContent = notes.filter(Boolean).join(" · ");
  applyTheme(storedTheme() in themes ? storedTheme() : "auto");
  filter();
  openFromHash();
})();
