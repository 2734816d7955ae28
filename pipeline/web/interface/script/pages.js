/* The page pane: one page at a time with a box on every value, thumbnails, zoom and rotation, and charts drawn from the values. */

const ZOOMS = [1, 1.5, 2, 3, 4];
const view = { page: 0, zoom: 1, turn: 0 };
/** The page that is shown, how much larger it is than its pane, and the degrees by which a person has turned it. */

const drawnPages = (item) => item.page_list.filter((page) => (source.editable ? page.status !== "skipped" : page.size));

function pagesPane(item) {
  const drawn = drawnPages(item), charts = item.results.filter((result) => source.chart(item, result)).map((result) => chartFigure(item, result));
  Object.assign(view, { page: 0, turn: 0 });
  const pane = make("div", { class: "pages", role: "region", "aria-label": t("Pages"), tabindex: "0" });
  if (!drawn.length) pane.append(...(charts.length ? charts : [make("p", { class: "soft" }, missingImageReason(item))]));
  else {
    const tool = (text, label, act) => make("button", { type: "button", class: "quiet", "aria-label": label, title: label, on: { click: act } }, text);
    const zoom = make("button", { type: "button", class: "quiet", "aria-pressed": String(view.zoom > 1), on: { click: toggleZoom } }, `${t("Larger")} `, make("kbd", {}, "z"));
    pane.append(make("div", { class: "tools" }, make("span", { class: "page-number" }), drawn.length > 1 ? [tool("‹", t("Previous page"), () => stepPage(-1)), tool("›", t("Next page"), () => stepPage(1))] : null,
      tool("−", t("Smaller"), () => setZoom(-1)), tool("+", t("Larger still"), () => setZoom(1)), tool("⟳", t("Turn the page"), turnPage), zoom),
    drawn.length > 1 ? thumbnails(item, drawn) : "", make("div", { class: "figures" }, make("figure", { class: "page-figure" }), charts));
    const first = item.fields.find((field) => field.reasons && field.page) || item.fields.find((field) => field.page);
    queueMicrotask(() => { if (current === item && !view.page) showPage(drawn.some((page) => page.page === first?.page) ? first.page : drawn[0].page); });
  }
  return pane;
}

function thumbnails(item, drawn) {
  return make("ol", { class: "thumbnails", "aria-label": t("Pages of the document") }, drawn.map((page) => {
    const doubtful = item.fields.some((field) => field.page === page.page && field.reasons);
    return make("li", {}, make("button", { type: "button", class: doubtful ? "review" : null, "data-page": page.page, "aria-label": doubtful ? t("Page {page}, with values to review", { page: page.page }) : t("Page {page}", { page: page.page }), on: { click: () => showPage(page.page) } },
      make("img", { src: source.image(item, page), alt: "", loading: "lazy", decoding: "async" }), make("span", { "aria-hidden": "true" }, String(page.page))));
  }));
}

function missingImageReason(item) {
  const undrawn = item.page_list.find((page) => page.undrawn);
  if (item.status === "waiting") return t("There is no page to show yet.");
  if (item.original !== "there") return item.original === "gone" ? t("The original is no longer there: the values are listed without their pages.") : t("The original is changed: the values are listed without their pages.");
  if (undrawn) return t("Page {page} cannot be drawn: {reason}.", { page: undrawn.page, reason: undrawn.undrawn });
  if (item.page_list.some((page) => page.status === "done")) return t("No page image: the file would be too large. `pipeline review` with the path of this document makes a file with its pages.");
  return t("There is no page to show.");
}

function chartFigure(item, result) {
  const data = result.fields.find((field) => field.table), rows = data ? data.table.row_count : 0;
  return make("figure", { class: "redrawn" }, make("div", { class: "page-image" }, make("img", { src: source.chart(item, result), alt: t("The chart drawn from {rows} of data", { rows: plural(rows, "row") }) })), make("figcaption", {}, t("Drawn from the values that were read")));
}

/** Shows a page of the document, where it is not shown already. */
function showPage(shown) {
  const item = current, figure = main.querySelector(".page-figure"), page = item && drawnPages(item).find((other) => other.page === shown);
  if (!figure || !page || view.page === shown) return;
  view.page = shown;
  const of = main.querySelector(".page-number");
  of.textContent = item.pages > 1 ? t("Page {page} of {pages}", { page: shown, pages: item.pages }) : t("Page {page}", { page: shown });
  for (const button of main.querySelectorAll(".thumbnails button")) {
    if (Number(button.dataset.page) === shown) { button.setAttribute("aria-current", "page"); button.scrollIntoView({ block: "nearest", inline: "nearest" }); } else button.removeAttribute("aria-current");
  }
  figure.dataset.page = shown;
  figure.replaceChildren(make("p", { class: "soft" }, t("The page is being drawn …")));
  when(source.page(item, page), () => {
    if (current !== item || view.page !== shown) return;
    if (!page.size) return figure.replaceChildren(make("p", { class: "notice bad" }, t("The page cannot be drawn: {reason}", { reason: page.undrawn || t("there is no such page") })));
    const [width, height] = page.size;
    const image = make("img", { src: source.image(item, page), alt: t("Page {page} of {name}", { page: shown, name: item.base }), width: Math.round(width), height: Math.round(height), draggable: "false" });
    const sheet = make("div", { class: "page-image" }, image);
    figure.replaceChildren(make("div", { class: "view" }, make("div", { class: "turned" }, sheet)));
    placeSheet();
    refreshBoxes();
    if (selected && item.rows.get(selected)?.field.page === shown) { addCrop(item.rows.get(selected)); scrollToBox(selected); }
    when(source.words(item, page), (words) => { if (words && current === item && view.page === shown) showWords(sheet, page, words); });
  });
}

function stepPage(by) {
  const drawn = drawnPages(current), next = drawn[drawn.findIndex((page) => page.page === view.page) + by];
  if (next) showPage(next.page);
}

const shownPage = () => current && current.page_list.find((page) => page.page === view.page && page.size);

/** Gives the sheet the size and the rotation that were chosen. */
function placeSheet() {
  const turned = main.querySelector(".turned"), page = shownPage();
  if (!turned || !page) return;
  const [width, height] = page.size, across = view.turn % 180 !== 0, sheet = turned.firstChild;
  turned.style.width = `${100 * view.zoom}%`;
  turned.style.aspectRatio = across ? `${height} / ${width}` : `${width} / ${height}`;
  sheet.style.width = across ? `${(100 * width) / height}%` : "100%";
  sheet.style.transform = `translate(-50%, -50%) rotate(${view.turn}deg)`;
  for (const button of main.querySelectorAll(".tools [aria-pressed]")) button.setAttribute("aria-pressed", String(view.zoom > 1));
  if (selected) scrollToBox(selected);
}

function setZoom(by) {
  view.zoom = ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.indexOf(view.zoom) + by))];
  placeSheet();
}

function toggleZoom() {
  view.zoom = view.zoom > 1 ? 1 : 2;
  placeSheet();
}

function turnPage() {
  view.turn = (view.turn + 90) % 360;
  placeSheet();
}

/* ---- boxes ---- */

/** Draws the boxes of the page that is shown, largest first, so that no box is hidden under another. */
function refreshBoxes() {
  const sheet = main.querySelector(".page-figure .page-image"), page = shownPage(), item = current;
  if (!sheet || !page) return;
  sheet.querySelectorAll(".box").forEach((box) => box.remove());
  item.boxes = new Map();
  const places = new Map();
  for (const [key, { field }] of item.rows) {
    if (field.page !== page.page || !field.box) continue;
    const at = field.box.join();
    places.set(at, [...(places.get(at) || []), key]);
  }
  const size = (keys) => area(item.rows.get(keys[0]).field.box);
  sheet.append(...[...places.values()].sort((a, b) => size(b) - size(a)).map((keys) => box(item, keys, ...page.size)), ...answerBoxes(item, page));
  item.boxes.get(selected)?.classList.add("on");
}

const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);

/** Places an element over a box of the page, in percent. */
function placeBox(element, [x0, y0, x1, y1], width, height) {
  const percent = (part, whole) => `${(100 * Math.min(Math.max(0, part), whole)) / whole}%`;
  element.style.left = percent(x0, width);
  element.style.top = percent(y0, height);
  element.style.width = percent(Math.min(x1, width) - Math.max(0, x0), width);
  element.style.height = percent(Math.min(y1, height) - Math.max(0, y0), height);
  return element;
}

function box(item, keys, width, height) {
  const fields = keys.map((key) => item.rows.get(key).field), review = fields.some((field) => field.reasons), big = fields[0].table || area(fields[0].box) > 0.12 * width * height;
  const label = fields.map((field) => (field.value === undefined ? spoken(field.name) : `${spoken(field.name)}: ${field.value.slice(0, 80)}`)).join(", ");
  const element = placeBox(make("button", { type: "button", class: `box${review ? " review" : ""}${big ? " wide" : ""}`, "data-field": keys.join(" "), "aria-label": label + (review ? `, ${t("to review")}` : ""), title: label }), fields[0].box, width, height);
  const nextKey = () => keys[(keys.indexOf(selected) + 1) % keys.length];
  element.addEventListener("click", () => select(nextKey(), { box: true }));
  for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) element.addEventListener(event, () => keys.forEach((key) => highlight(key, on, event === "focus")));
  for (const key of keys) item.boxes.set(key, element);
  return element;
}

/** Scrolls the page pane, and nothing else, so that a box is in its middle. */
function centre(box) {
  const pane = main.querySelector(".pages"), inner = box.getBoundingClientRect(), outer = pane.getBoundingClientRect();
  pane.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
  pane.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
}
