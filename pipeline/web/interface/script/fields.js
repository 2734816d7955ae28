/* The fields of a document: their rows, and the links between a row, its box on the page, and the enlarged part of the page beside it. */

const groundings = { exact: t("as printed"), value: t("same value"), fuzzy: t("similar text"), none: t("not found on the page") };
let selected = null;
/** The key of the field in hand; null without one. */

const fieldKey = (result, field) => `${result.template}.${field.raw_name || field.name}`;

function resultSection(item, result, n) {
  const minor = result.fields.filter((field) => field.minor);
  const present = result.fields.filter((field) => !field.minor && (field.value !== undefined || field.items || field.table || field.reasons || field.corrected));
  const absent = result.fields.filter((field) => !present.includes(field) && !field.minor);
  const rowOf = (field) => fieldRow(item, result, field, `${n}-${result.fields.indexOf(field)}`);
  const rows = present.map(rowOf); // before the others: keys go through the rows in this order
  const minorRows = minor.map(rowOf);
  const minorList = !minor.length ? null : make("details", { class: "absent-fields" }, make("summary", {}, `${t("Further details, less sure:")} ${plural(minor.length, "field")}`), make("ol", { class: "fields" }, minorRows));
  const absentList = !absent.length ? null : !source.editable ? make("p", { class: "absent" }, `${t("Not on the document:")} ${absent.map((field) => spoken(field.name)).join(", ")}`)
    : make("details", { class: "absent-fields" }, make("summary", {}, `${t("Not on the document:")} ${absent.length > 6 ? plural(absent.length, "field") : absent.map((field) => spoken(field.name)).join(", ")}`), make("ol", { class: "fields" }, absent.map(rowOf)));
  return make("section", { "aria-labelledby": `t${n}` }, make("h3", { id: `t${n}` }, result.question ? result.template : spoken(result.template)), result.question ? make("p", { class: "soft" }, result.question) : null,
    rows.length ? make("ol", { class: "fields" }, rows) : null, minorList, absentList);
}

function fieldRow(item, result, field, id) {
  const key = fieldKey(result, field);
  const button = make("button", { type: "button", class: "label", "aria-pressed": "false", "aria-describedby": `v${id}` }, spoken(field.name));
  const confidence = field.confidence === undefined ? null : make("span", { class: field.reasons ? "confidence low" : "confidence", "aria-hidden": "true" }, make("i"));
  if (confidence) confidence.firstChild.style.width = `${Math.round(100 * field.confidence)}%`;
  const from = make("p", { class: "from" }, confidence && make("span", { title: field.value === undefined && !field.items && !field.table ? t("probability that the document has none") : t("probability that the value is right") }, confidence, `${Number(field.confidence_percent).toLocaleString(language, { minimumFractionDigits: field.confidence_percent.includes(".") ? 1 : 0 })} %`),
    field.printed && make("q", { title: t("as printed"), dir: "auto" }, field.printed), field.page && item.pages > 1 && make("span", {}, t("page {page}", { page: field.page })), field.grounding && make("span", {}, groundings[field.grounding]));
  const element = make("li", { class: field.reasons ? "field review" : "field", "data-field": key }, button, fieldValue(field, id), from,
    field.reasons ? make("ul", { class: "reasons" }, field.reasons.map((reason) => make("li", {}, reason))) : null,
    field.corrected ? make("p", { class: "corrected" }, correctionText(field.corrected)) : null,
    field.notes ? make("p", { class: "notes" }, field.notes.join("; ")) : null);
  item.rows.set(key, { result, field, element, button, id });
  element.addEventListener("click", (event) => { if (!getSelection().toString() && !event.target.closest(".editor, .actions, .history")) select(key, { row: true, toggle: event.target === button }); });
  element.addEventListener("dblclick", (event) => { if (source.mayChange && !event.target.closest(".editor, .actions")) openEditor(key); });
  element.addEventListener("mouseenter", () => highlight(key, true));
  element.addEventListener("mouseleave", () => highlight(key, false));
  button.addEventListener("focus", () => highlight(key, true));
  button.addEventListener("blur", () => highlight(key, false));
  return element;
}

const correctionText = ({ by, at, confirmed, read }) => (confirmed ? t("confirmed by {name}, {time}", { name: by, time: time(at) })
  : `${t("corrected by {name}, {time}", { name: by, time: time(at) })}; ${t("the engine read {value}", { value: shortened(valueText(read), 200) })}`);

function fieldValue(field, id) {
  if (field.table) return make("div", { class: "value", id: `v${id}` }, plural(field.table.row_count, "row"));
  const texts = field.items || [field.value === undefined ? "—" : field.value], long = texts.join("").length > 240;
  const content = field.items ? make("ul", {}, texts.map((text) => make("li", { dir: "auto" }, text))) : field.value === undefined ? "—" : field.value;
  return make("div", { class: long ? "value long" : "value", id: `v${id}`, dir: "auto", ...(long ? { tabindex: "0", role: "region", "aria-label": spoken(field.name) } : {}) }, content);
}

function highlight(key, on, scroll) {
  const row = current && current.rows.get(key), box = current && current.boxes.get(key);
  if (row) row.element.classList.toggle("hover", on);
  if (box) box.classList.toggle("hover", on);
  if (scroll && row && wide.matches) row.element.scrollIntoView({ block: "nearest" });
}

/** Takes a field in hand. ``how``: ``toggle`` lets go of it where it is in hand, ``row`` and ``box`` say what was pointed at. */
function select(key, how = {}) {
  if (!current) return;
  const same = selected === key;
  if (!same) leaveEditor();
  const before = selected && current.rows.get(selected);
  if (before && !(same && !how.toggle)) {
    before.element.classList.remove("on");
    before.button.setAttribute("aria-pressed", "false");
    before.element.querySelectorAll(".crop, .actions, .history").forEach((part) => part.remove());
    current.boxes.get(selected)?.classList.remove("on");
  }
  const row = current.rows.get(key);
  if (same && !how.toggle && row) {
    if (how.focus) row.button.focus({ preventScroll: true });
    return;
  }
  selected = null;
  if (!row || same) return;
  selected = key;
  row.element.closest("details")?.setAttribute("open", "");
  row.element.classList.add("on");
  row.button.setAttribute("aria-pressed", "true");
  if (row.field.page) showPage(row.field.page);
  addCrop(row);
  if (source.mayChange) addActions(key, row);
  current.boxes.get(key)?.classList.add("on");
  if (how.focus) row.button.focus({ preventScroll: true });
  if (!how.row) row.element.scrollIntoView({ block: how.box ? "center" : "nearest" });
  if (!how.box) scrollToBox(key);
}

/** Selects the next or previous field of the document, doubtful or not. */
function stepField(by) {
  const keys = [...current.rows.keys()], at = keys.indexOf(selected);
  const next = at < 0 ? keys[by > 0 ? 0 : keys.length - 1] : keys[at + by];
  if (next) select(next, { focus: true });
}

/** Scrolls the pages to the box of a value, where the pages scroll by themselves. */
function scrollToBox(key) {
  const box = current.boxes.get(key);
  if (!box) return;
  if (wide.matches) box.scrollIntoView({ block: "center", inline: "center" });
  else centre(box);
}

/** Shows the part of the page around a value below the value. */
function addCrop({ field, element }) {
  element.querySelector(".crop")?.remove();
  const page = field.box && current.page_list.find((other) => other.page === field.page && other.size);
  const uri = page && source.image(current, page);
  if (!uri || field.table) return;
  const [width, height] = page.size, [x0, y0, x1, y1] = field.box;
  const across = Math.min(width, Math.max(200, x1 - x0 + 60)), down = Math.min(height, Math.max(36, y1 - y0 + 24));
  const left = Math.min(Math.max(0, (x0 + x1 - across) / 2), width - across), top = Math.min(Math.max(0, (y0 + y1 - down) / 2), height - down);
  const image = vector("image", { href: uri, x: 0, y: 0, width, height, preserveAspectRatio: "none" });
  const mark = vector("rect", { x: x0 - 2, y: y0 - 2, width: x1 - x0 + 4, height: y1 - y0 + 4, rx: 1.5 });
  element.append(make("div", { class: "crop" }, vector("svg", { viewBox: `${left} ${top} ${across} ${down}`, role: "img", "aria-label": t("{field} as printed", { field: spoken(field.name) }) }, image, mark)));
}
