/* The words of the page: selectable text over its image, and values that a person picks by a click or by dragging over words. */

let words = [], inHand = null;
/** ``inHand`` takes the text of picked words: the editor of a field or a cell; null while nothing is edited. */

function showWords(sheet, page, found) {
  words = found.words;
  const [width, height] = page.size;
  sheet.querySelector(".words")?.remove();
  const spans = words.map((word, n) => {
    const span = placeBox(make("span", {}, word.text + (words[n + 1]?.line === word.line ? " " : "\n")), word.box, width, height);
    span.style.fontSize = `${(100 * 0.82 * (word.box[3] - word.box[1])) / width}cqw`;
    return span;
  });
  sheet.querySelector("img").after(make("div", { class: "words", "aria-hidden": "true" }, spans));
  showPlaces(page, found);
}

/** Shows where corrected values and the cells of tables stand on the page. */
function showPlaces(page, found) {
  current.cells = found.cells;
  for (const [key, box] of Object.entries(found.fields)) {
    const row = current.rows.get(key);
    if (row && !row.field.box) Object.assign(row.field, { box, page: page.page });
  }
  refreshBoxes();
  if (selected && current.rows.has(selected)) addCrop(current.rows.get(selected));
  markCells();
}

/** Looks again where values stand, after some have changed. */
function refreshPlaces() {
  const item = current, page = shownPage();
  if (page) when(source.words(item, page), (found) => { if (found && current === item && page === shownPage()) showPlaces(page, found); });
}

/** Lets an editor take the words that are picked. null: the editor is left. */
function takeInHand(editor) {
  inHand = editor;
  main.querySelector(".pages")?.classList.toggle("picking", Boolean(editor));
}

/** The point of the page under the pointer, in points. */
function pointOf(sheet, event) {
  const outer = sheet.getBoundingClientRect(), [width, height] = shownPage().size;
  const u = (event.clientX - outer.left) / outer.width, v = (event.clientY - outer.top) / outer.height;
  const [x, y] = { 0: [u, v], 90: [v, 1 - u], 180: [1 - u, 1 - v], 270: [1 - v, u] }[view.turn];
  return [x * width, y * height];
}

/** The words that a rectangle touches by more than a third, or that a point is in. */
function wordsIn([ax, ay], [bx, by]) {
  const [x0, y0, x1, y1] = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  if (x1 - x0 < 3 && y1 - y0 < 3) return words.filter(({ box }) => x0 >= box[0] - 1 && x0 <= box[2] + 1 && y0 >= box[1] - 1 && y0 <= box[3] + 1).slice(0, 1);
  return words.filter(({ box }) => {
    const across = Math.min(x1, box[2]) - Math.max(x0, box[0]), down = Math.min(y1, box[3]) - Math.max(y0, box[1]);
    return across > 0.34 * (box[2] - box[0]) && down > 0.34 * (box[3] - box[1]);
  });
}

/** The text of words: a line of the page is a line of the text. */
function textOf(picked) {
  let text = "";
  for (const [n, word] of picked.entries()) text += n ? (picked[n - 1].line === word.line ? " " : "\n") + word.text : word.text;
  return text;
}

function rubberBand() {
  let start = null, sheet = null, band = null, adding = false;
  const end = () => { band?.remove(); start = sheet = band = null; };
  document.addEventListener("pointerdown", (event) => {
    const on = event.target.closest?.(".page-figure .page-image");
    if (!on || event.button || !words.length || !source.mayChange) return;
    if (!inHand) { // a click on a word corrects the selected field; dragging selects text
      sheet = event.target.closest(".words") && selected ? on : null;
      start = sheet && pointOf(sheet, event);
      return;
    }
    if (event.pointerType !== "touch") event.preventDefault(); // the editor keeps the focus, and no text is selected
    [sheet, adding] = [on, event.shiftKey];
    start = pointOf(sheet, event);
  });
  document.addEventListener("pointermove", (event) => {
    if (!start || !inHand || event.pointerType === "touch") return;
    const to = pointOf(sheet, event);
    if (!band) sheet.append(band = make("div", { class: "band" }));
    placeBox(band, [Math.min(start[0], to[0]), Math.min(start[1], to[1]), Math.max(start[0], to[0]), Math.max(start[1], to[1])], ...shownPage().size);
  });
  document.addEventListener("pointercancel", end);
  document.addEventListener("pointerup", (event) => {
    if (!start) return;
    const to = event.target.closest?.(".page-figure .page-image") ? pointOf(sheet, event) : null;
    if (!inHand && (!to || Math.hypot(to[0] - start[0], to[1] - start[1]) > 3 || getSelection().toString())) return end();
    const picked = to ? wordsIn(start, to) : [];
    end();
    if (!picked.length) return;
    if (!inHand) openEditor(selected);
    if (inHand) inHand(textOf(picked), adding);
  });
  document.addEventListener("click", (event) => { // boxes lie over the words, and a label would move the focus
    if (inHand && event.target.closest?.(".page-figure .page-image")) event.preventDefault();
  }, true);
}
