"use strict";
/* Lists documents, shows one, and leads between values and their places. Texts of documents only ever become text nodes and attributes
   that are read, never markup, style or addresses; the page's policy refuses anything else. */
(() => {
  const $ = (id) => document.getElementById(id);
  const { documents, about } = JSON.parse($("data").textContent);
  const app = $("app"), list = $("list"), main = $("document");
  const wide = matchMedia("(min-width: 72rem)"), narrow = matchMedia("(max-width: 47.99rem)");
  const words = { exact: "as printed", value: "same value", fuzzy: "nearly so", none: "without a place on the page" };
  const states = { all: "All", look: "To review", bad: "Failed", good: "Clear" };
  let shown = [], current = null, chosen = null, large = false;

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
  const say = (text) => { $("said").textContent = text; };

  /* ---- what is known of each document ---- */

  for (const [index, item] of documents.entries()) {
    item.index = index;
    item.fields = item.results.flatMap((result) => result.fields);
    item.looks = item.fields.filter((field) => field.why).length;
    item.state = item.status !== "done" ? "bad" : item.looks ? "look" : "good";
    const slash = item.name.lastIndexOf("/");
    item.base = item.name.slice(slash + 1);
    item.folder = item.name.slice(0, Math.max(0, slash));
  }

  function haystack(item) {
    if (item.found === undefined) {
      const texts = [item.name, item.status, item.reason, item.detail, ...Object.keys(item.recipes)];
      for (const field of item.fields) {
        texts.push(field.name, field.value, field.printed, ...(field.items || []), ...(field.why || []));
        if (field.table) texts.push(...field.table.rows.flat());
      }
      item.found = texts.filter(Boolean).join("\n").toLowerCase();
    }
    return item.found;
  }

  /* ---- the list ---- */

  function tag(item) {
    if (item.status !== "done") return make("span", { class: "tag bad" }, item.status + (item.looks ? ` · ${item.looks}` : ""));
    if (item.looks) return make("span", { class: "tag look" }, `${item.looks} to review`);
    return make("span", { class: "tag good" }, make("span", { "aria-hidden": "true" }, "✓"), make("span", { class: "hidden" }, "clear"));
  }

  function entry(item) {
    if (!item.entry) {
      const first = item.fields.find((field) => field.value && field.value.length < 60);
      const under = [item.reason || "", Object.keys(item.recipes).join(", "), first ? first.value : "", item.folder].filter(Boolean).join(" · ");
      item.link = make("a", { class: "item", href: `#d${item.index}` }, make("span", { class: "name" }, item.base), tag(item), make("span", { class: "under" }, under));
      item.entry = make("li", {}, item.link);
    }
    return item.entry;
  }

  const state = () => document.querySelector("#states input:checked").value;
  const fits = (item, which) => which === "all" || item.state === which || (which === "look" && item.looks > 0);
  const orders = {
    urgent: (a, b) => (b.state !== "good") - (a.state !== "good") || a.index - b.index,
    latest: (a, b) => a.index - b.index,
    name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  };

  function filter() {
    const parts = $("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const template = $("template").value, from = $("from").value, until = $("until").value;
    const among = documents.filter((item) =>
      (!template || template in item.recipes) && (!from || item.read.slice(0, 10) >= from) && (!until || item.read.slice(0, 10) <= until)
      && parts.every((part) => haystack(item).includes(part)));
    for (const which of Object.keys(states)) $(`count-${which}`).textContent = among.filter((item) => fits(item, which)).length.toLocaleString("en");
    shown = among.filter((item) => fits(item, state())).sort(orders[$("order").value]);
    list.replaceChildren(...shown.map(entry));
    $("count").textContent = shown.length === documents.length ? plural(shown.length, "document") : `${shown.length.toLocaleString("en")} of ${plural(documents.length, "document")}`;
  }

  /* ---- one document ---- */

  function show(item, focus) {
    if (current && current.link) current.link.removeAttribute("aria-current");
    current = item;
    chosen = null;
    app.classList.toggle("reading", Boolean(item));
    document.title = item ? `${item.base} – Review` : "Review";
    main.replaceChildren(...(item ? parts(item) : [make("p", { class: "empty" }, documents.length ? "No document is chosen." : "No document needs a look, or none was read.")]));
    if (!item) return;
    entry(item);
    item.link.setAttribute("aria-current", "true");
    if (!narrow.matches) item.link.scrollIntoView({ block: "nearest" });
    else scrollTo(0, 0);
    if (focus === "list" && !narrow.matches) item.link.focus({ preventScroll: true });
    else if (focus) main.querySelector("h2").focus({ preventScroll: true });
    if (!wide.matches && !narrow.matches) $("main").scrollTop = 0;
  }

  function parts(item) {
    const drawn = item.sheets.filter((sheet) => sheet.size);
    item.boxes = new Map();
    item.rows = new Map();
    const values = make("div", { class: "values" }, item.results.map((result, n) => section(item, result, n)), sheetList(item), origin(item));
    const pictures = [...drawn.map((sheet) => paper(item, sheet)), ...item.results.filter((result) => result.chart).map(redrawn)];
    const pages = make("div", { class: large ? "pages large" : "pages", role: "region", "aria-label": "Pages", tabindex: "0" }, pictures.length ? pictures : make("p", { class: "soft" }, whyNoPicture(item)));
    return [head(item), values, pages];
  }

  function head(item) {
    const badges = [make("span", { class: `badge ${item.status === "done" ? "good" : "bad"}` }, item.status)];
    if (item.looks) badges.push(make("span", { class: "badge look" }, `${item.looks} to review`));
    const facts = [Object.keys(item.recipes).join(", "), item.kind.toUpperCase(), plural(item.pages, "page"), item.read && `read ${time(item.read)}`, item.engine].filter(Boolean).join(" · ");
    const at = shown.indexOf(item);
    const step = (by, text, label) => make("button", { type: "button", class: "plain", "aria-label": label, disabled: !shown[at + by] || at < 0, on: { click: () => go(by) } }, text);
    const next = documents.some((other) => other.looks) ? make("button", { type: "button", class: "plain first", on: { click: () => hunt(1) } }, "Next to review") : null;
    return make("header", { class: "sheet-head" },
      make("div", { class: "row" }, make("h2", { tabindex: "-1" }, item.base), badges,
        make("div", { class: "steps" }, make("a", { class: "plain back", href: "#", "aria-label": "Back to the list of documents" }, "‹ List"), step(-1, "‹", "Previous document"), step(1, "›", "Next document"), next)),
      make("p", { class: "soft" }, item.folder ? `${item.folder}/ · ${facts}` : facts), notices(item));
  }

  function notices(item) {
    const found = [];
    const cure = (problem) => (problem.cure ? [" ", make("span", { class: "do" }, `What to do: ${problem.cure}`)] : "");
    const failed = item.sheets.filter((sheet) => sheet.status === "failed" || sheet.status === "skipped");
    if (!failed.length && item.reason) found.push(make("p", { class: "notice bad" }, make("b", {}, `Not read: ${item.reason}`), item.detail ? `: ${item.detail}.` : ".", cure(item)));
    const groups = new Map();
    for (const sheet of failed) {
      const key = `${sheet.status}\n${sheet.reason || ""}\n${sheet.detail || ""}`;
      groups.set(key, [...(groups.get(key) || []), sheet]);
    }
    for (const group of [...groups.values()].slice(0, 5)) {
      const numbers = group.map((sheet) => sheet.page), told = numbers.length > 12 ? `${numbers.slice(0, 12).join(", ")}, …` : numbers.join(", ");
      found.push(make("p", { class: "notice bad" }, make("b", {}, `${numbers.length > 1 ? "Pages" : "Page"} ${told} ${group[0].status}: ${group[0].reason || ""}`), group[0].detail ? `: ${group[0].detail}.` : ".", cure(group[0])));
    }
    if (item.original === "gone") found.push(make("p", { class: "notice" }, "The original is no longer where it was read, so its pages cannot be shown."));
    if (item.original === "changed") found.push(make("p", { class: "notice" }, "The original was changed since it was read, so its pages cannot be shown. What to do: pipeline run reads it again."));
    return found;
  }

  function whyNoPicture(item) {
    const undrawn = item.sheets.find((sheet) => sheet.undrawn);
    if (item.original !== "there") return `The original is ${item.original === "gone" ? "no longer there" : "another one now"}: the values are listed without their pages.`;
    if (undrawn) return `Page ${undrawn.page} cannot be drawn: ${undrawn.undrawn}.`;
    if (item.sheets.some((sheet) => sheet.status === "done")) return "No picture: the file would have become too large. pipeline review with this document's path makes one with its pages.";
    return "There is no page to show.";
  }

  /* ---- values ---- */

  function section(item, result, n) {
    const there = result.fields.filter((field) => field.value !== undefined || field.items || field.table);
    const absent = result.fields.filter((field) => !there.includes(field)).map((field) => field.name);
    return make("section", { "aria-labelledby": `t${n}` }, make("h3", { id: `t${n}` }, result.template), result.question ? make("p", { class: "soft" }, result.question) : null,
      there.length ? make("ol", { class: "fields" }, there.map((field) => row(item, field, `${n}-${result.fields.indexOf(field)}`))) : null,
      absent.length ? make("p", { class: "absent" }, `Not on the document: ${absent.join(", ")}`) : null);
  }

  function row(item, field, key) {
    const button = make("button", { type: "button", class: "label", "aria-pressed": "false", "aria-describedby": `v${key}` }, field.name);
    const sure = field.confidence === undefined ? null : make("span", { class: field.why ? "sure low" : "sure", "aria-hidden": "true" }, make("i"));
    if (sure) sure.firstChild.style.width = `${Math.round(100 * field.confidence)}%`;
    const from = make("p", { class: "from" }, sure && make("span", { title: "probability that the value is right" }, sure, `${(100 * field.confidence).toFixed(field.confidence > 0.99 ? 1 : 0)} %`),
      field.printed && make("q", { title: "as printed", dir: "auto" }, field.printed), field.page && item.pages > 1 && make("span", {}, `page ${field.page}`), field.grounding && make("span", {}, words[field.grounding]));
    const element = make("li", { class: field.why ? "field look" : "field" }, button, value(field, key), from,
      field.why ? make("ul", { class: "why" }, field.why.map((reason) => make("li", {}, reason))) : null,
      field.notes ? make("p", { class: "notes" }, field.notes.join("; ")) : null);
    item.rows.set(key, { field, element, button });
    element.addEventListener("click", (event) => { if (!getSelection().toString()) choose(key, { row: true, toggle: event.target === button }); });
    element.addEventListener("mouseenter", () => light(key, true));
    element.addEventListener("mouseleave", () => light(key, false));
    button.addEventListener("focus", () => light(key, true));
    button.addEventListener("blur", () => light(key, false));
    return element;
  }

  function value(field, key) {
    if (field.table) return table(field, key);
    const texts = field.items || [field.value], long = texts.join("").length > 240;
    const told = field.items ? make("ul", {}, texts.map((text) => make("li", { dir: "auto" }, text))) : field.value;
    return make("div", { class: long ? "value long" : "value", id: `v${key}`, dir: "auto", ...(long ? { tabindex: "0", role: "region", "aria-label": field.name } : {}) }, told);
  }

  function table(field, key) {
    const { columns, rows, doubted, of } = field.table;
    const numeric = columns.map((_, n) => rows.every((cells) => /^(-?\d[\d.,]*%?)?$/.test(cells[n])) && rows.some((cells) => cells[n]));
    const doubt = new Set(doubted.map(([n, m]) => `${n} ${m}`));
    const body = rows.map((cells, n) => make("tr", {}, cells.map((text, m) => make("td", { class: `${numeric[m] ? "n" : ""}${doubt.has(`${n} ${m}`) ? " look" : ""}`, title: doubt.has(`${n} ${m}`) ? "not found on the page" : null, dir: "auto" }, text))));
    const heads = make("tr", {}, columns.map((name, m) => make("th", { scope: "col", class: numeric[m] ? "n" : null }, name)));
    return make("div", { class: "wide", id: `v${key}` }, make("p", { class: "from" }, plural(of, "row") + (of > rows.length ? `, the first ${rows.length} are shown` : "")),
      make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": `${field.name}, rows` }, make("table", {}, make("thead", {}, heads), make("tbody", {}, body))));
  }

  /* ---- pages ---- */

  const uri = (item, page) => { const holder = $(`picture-${item.index}-${page}`); return holder && holder.textContent; };
  const sheetOf = (item, page) => item.sheets.find((sheet) => sheet.page === page && sheet.size);

  function paper(item, sheet) {
    const [width, height] = sheet.size;
    const places = new Map();
    for (const [key, { field }] of item.rows) {
      if (field.page !== sheet.page || !field.box) continue;
      const at = field.box.join();
      places.set(at, [...(places.get(at) || []), key]);
    }
    const area = (keys) => { const [a, b, c, d] = item.rows.get(keys[0]).field.box; return (c - a) * (d - b); };
    const boxes = [...places.values()].sort((a, b) => area(b) - area(a)).map((keys) => box(item, keys, width, height));
    const zoom = make("button", { type: "button", class: "quiet", "aria-pressed": String(large), on: { click: zoomed } }, "Larger ", make("kbd", {}, "z"));
    return make("figure", { "data-page": sheet.page }, make("figcaption", {}, `Page ${sheet.page}${item.pages > 1 ? ` of ${item.pages}` : ""}`, zoom),
      make("div", { class: "view" }, make("div", { class: "paper" }, make("img", { src: uri(item, sheet.page), alt: `Page ${sheet.page} of ${item.base}`, width: Math.round(width), height: Math.round(height) }), boxes)));
  }

  function box(item, keys, width, height) {
    const fields = keys.map((key) => item.rows.get(key).field), look = fields.some((field) => field.why), big = fields[0].table || area(fields[0].box) > 0.12 * width * height;
    const named = fields.map((field) => (field.value === undefined ? field.name : `${field.name}: ${field.value.slice(0, 80)}`)).join(", ");
    const element = make("button", { type: "button", class: `box${look ? " look" : ""}${big ? " wide" : ""}`, "aria-label": named + (look ? ", to review" : ""), title: named });
    const [x0, y0, x1, y1] = fields[0].box, percent = (part, whole) => `${(100 * Math.min(Math.max(0, part), whole)) / whole}%`;
    element.style.left = percent(x0, width);
    element.style.top = percent(y0, height);
    element.style.width = percent(Math.min(x1, width) - Math.max(0, x0), width);
    element.style.height = percent(Math.min(y1, height) - Math.max(0, y0), height);
    const turn = () => keys[(keys.indexOf(chosen) + 1) % keys.length];
    element.addEventListener("click", () => choose(turn(), { box: true }));
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) element.addEventListener(event, () => keys.forEach((key) => light(key, on, event === "focus")));
    for (const key of keys) item.boxes.set(key, element);
    return element;
  }

  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);

  function redrawn(result) {
    const data = result.fields.find((field) => field.table), rows = data ? data.table.of : 0;
    return make("figure", { class: "redrawn" }, make("figcaption", {}, "Drawn again from the values that were read"), make("div", { class: "paper" }, make("img", { src: result.chart, alt: `The chart drawn again from ${plural(rows, "row")} of data` })));
  }

  function zoomed() {
    large = !large;
    const pages = main.querySelector(".pages");
    if (!pages) return;
    pages.classList.toggle("large", large);
    for (const button of pages.querySelectorAll("figcaption button")) button.setAttribute("aria-pressed", String(large));
    if (chosen) bring(chosen);
  }

  function sheetList(item) {
    if (item.sheets.length < 2 && item.sheets.every((sheet) => sheet.status === "done")) return null;
    const cells = item.sheets.map((sheet) => make("tr", {}, make("td", { class: "n" }, String(sheet.page)), make("td", {}, sheet.status), make("td", {}, sheet.source || ""), make("td", { class: "n" }, seconds(sheet.seconds)), make("td", {}, sheet.undrawn ? `not drawn: ${sheet.undrawn}` : sheet.reason || "")));
    const heads = make("tr", {}, ["page", "status", "words from", "time", "reason"].map((name) => make("th", { scope: "col", class: name === "page" || name === "time" ? "n" : null }, name)));
    return make("section", { "aria-labelledby": "pages-title" }, make("h3", { id: "pages-title" }, "Pages"), make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": "Pages and what became of them" }, make("table", {}, make("thead", {}, heads), make("tbody", {}, cells))));
  }

  function origin(item) {
    const [engine, ...rest] = item.engine.split(" "), model = rest.join(" ").split("@");
    const took = item.sheets.reduce((sum, sheet) => sum + sheet.seconds, 0);
    const facts = [["file", item.path], ["sha256", make("code", {}, item.sha256)], ["engine", engine], ["model", rest.length ? model[0] : ""], ["revision", model.slice(1).join("@")],
      ...Object.entries(item.recipes).map(([template, recipe]) => [`recipe, ${template}`, make("code", {}, recipe)]),
      ["started", time(item.started)], ["finished", time(item.finished)], ["reading took", took ? `${seconds(took)} over ${plural(item.sheets.length, "page")}` : ""],
      ["words from", [...new Set(item.sheets.map((sheet) => sheet.source).filter(Boolean))].join(", ")],
      ["versions", Object.entries(item.versions).map(([name, version]) => `${name} ${version}`).join(", ")]];
    return make("details", {}, make("summary", {}, "How it was read"), make("dl", { class: "facts" }, facts.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])));
  }

  /* ---- leading between values and places ---- */

  function light(key, on, bringing) {
    const row = current && current.rows.get(key), place = current && current.boxes.get(key);
    if (row) row.element.classList.toggle("hover", on);
    if (place) place.classList.toggle("hover", on);
    if (bringing && row && wide.matches) row.element.scrollIntoView({ block: "nearest" });
  }

  function choose(key, how = {}) {
    if (!current) return;
    const before = chosen && current.rows.get(chosen);
    if (before) {
      before.element.classList.remove("on");
      before.button.setAttribute("aria-pressed", "false");
      before.element.querySelectorAll(".crop").forEach((crop) => crop.remove());
      const place = current.boxes.get(chosen);
      if (place) place.classList.remove("on");
    }
    const same = chosen === key;
    chosen = null;
    const row = current.rows.get(key);
    if (!row || (same && how.toggle)) return;
    chosen = key;
    row.element.classList.add("on");
    row.button.setAttribute("aria-pressed", "true");
    enlarge(row);
    const place = current.boxes.get(key);
    if (place) place.classList.add("on");
    if (how.focus) row.button.focus({ preventScroll: true });
    if (!how.row) row.element.scrollIntoView({ block: how.box ? "center" : "nearest" });
    if (!how.box) bring(key);
  }

  /** The box comes into sight where pages scroll by themselves. */
  function bring(key) {
    const place = current.boxes.get(key);
    if (place && wide.matches) place.scrollIntoView({ block: "center", inline: "center" });
  }

  /** The part of the page around a value, under the value. */
  function enlarge({ field, element }) {
    const sheet = field.box && sheetOf(current, field.page);
    if (!sheet || field.table) return;
    const [width, height] = sheet.size, [x0, y0, x1, y1] = field.box;
    const across = Math.min(width, Math.max(200, x1 - x0 + 60)), down = Math.min(height, Math.max(36, y1 - y0 + 24));
    const left = Math.min(Math.max(0, (x0 + x1 - across) / 2), width - across), top = Math.min(Math.max(0, (y0 + y1 - down) / 2), height - down);
    const image = vector("image", { href: uri(current, field.page), x: 0, y: 0, width, height, preserveAspectRatio: "none" });
    const mark = vector("rect", { x: x0 - 2, y: y0 - 2, width: x1 - x0 + 4, height: y1 - y0 + 4, rx: 1.5 });
    element.append(make("div", { class: "crop" }, vector("svg", { viewBox: `${left} ${top} ${across} ${down}`, role: "img", "aria-label": `${field.name} as printed` }, image, mark)));
  }

  /* ---- moving ---- */

  const address = (item) => location.replace(item ? `#d${item.index}` : "#");

  function go(by) {
    const at = shown.indexOf(current), next = at < 0 ? shown[0] : shown[at + by];
    if (!next) return say(by > 0 ? "This is the last document." : "This is the first document.");
    move(next, "list");
  }

  function move(item, focus) {
    show(item, focus);
    address(item);
  }

  /** The next (or last) value to review, through all documents that are listed, round and round. */
  function hunt(by) {
    const stops = shown.flatMap((item) => item.results.flatMap((result, n) => result.fields.flatMap((field, m) => (field.why ? [[item, `${n}-${m}`]] : []))));
    if (!stops.length) return say("No value among these documents is to be reviewed.");
    let at = stops.findIndex(([item, key]) => item === current && key === chosen);
    if (at < 0) {
      const rank = (item) => shown.indexOf(item), here = current ? rank(current) : -1;
      at = by > 0 ? stops.findIndex(([item]) => rank(item) >= here) - 1 : stops.findLastIndex(([item]) => rank(item) < here) + 1;
      if (at === -2) at = -1;
    } else if ((by > 0 && at === stops.length - 1) || (by < 0 && at === 0)) say("Round again.");
    const [item, key] = stops[(at + by + stops.length) % stops.length];
    if (item !== current) move(item);
    choose(key, { focus: true });
  }

  function follow() {
    const match = /^#d(\d+)$/.exec(location.hash), item = match && documents[Number(match[1])];
    if (item && item !== current) show(item, "heading");
    if (!item) {
      const before = current;
      if (narrow.matches || !shown.length) show(null);
      else if (!current) show(shown[0]);
      if (narrow.matches && before) { const link = before.link; if (link) link.focus(); }
    }
  }

  /* ---- colours, keys, filters ---- */

  const themes = { auto: "automatic", light: "light", dark: "dark" };
  function paint(theme) {
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = `Colours: ${themes[theme]}`;
    try { localStorage.setItem("pipeline-review-theme", theme); } catch { /* a file may not be allowed to remember */ }
  }
  function remembered() {
    try { return localStorage.getItem("pipeline-review-theme"); } catch { return null; }
  }
  $("theme").addEventListener("click", () => { const names = Object.keys(themes); paint(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]); });

  const keys = {
    j: () => go(1), k: () => go(-1), n: () => hunt(1), N: () => hunt(-1), z: zoomed,
    "/": () => { if (narrow.matches && current) { show(null); address(null); } $("text").focus(); $("text").select(); },
    "?": () => $("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    if (event.key === "Escape") {
      if (typing) { typing.blur(); if (current && current.link && !narrow.matches) current.link.focus(); }
      else if (chosen) choose(chosen, { toggle: true, row: true });
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
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); if (shown[0]) move(shown[0], "list"); });
  $("filters").addEventListener("input", filter);
  list.addEventListener("click", (event) => {
    const link = event.target.closest(".item"), item = link && shown.find((other) => other.link === link);
    if (item && !event.ctrlKey && !event.metaKey && !event.shiftKey) show(item, narrow.matches && "heading"); // the address follows
  });
  addEventListener("hashchange", follow);

  for (const [which, text] of Object.entries(states)) {
    $("states").append(make("label", {}, make("input", { type: "radio", name: "state", value: which, checked: which === "all" }), `${text} `, make("b", { id: `count-${which}` })));
  }
  for (const name of [...new Set(documents.flatMap((item) => Object.keys(item.recipes)))].sort()) $("template").append(make("option", { value: name }, name));
  const notes = [`Written ${time(about.written)}`, about.chosen, about.left_out ? `${plural(about.left_out, "older document")} left out` : ""];
  $("about").textContent = notes.filter(Boolean).join(" · ");
  paint(remembered() in themes ? remembered() : "auto");
  filter();
  follow();
})();
