/* The list of documents with its filters, and the way from one document to the next. */

const app = $("app"), list = $("list"), main = $("document");
const wide = matchMedia("(min-width: 72rem)"), narrow = matchMedia("(max-width: 47.99rem)");
let listed = [], current = null, limit = 200, opening = 0;
/** ``opening``: how many documents are being loaded. */

/** Whether no kind of document with fields was found: then there is no value that could be doubtful, and all may be missing. */
const isTextOnly = (entry) => Object.keys(entry.recipes).join() === "transcript";

function tag(entry) {
  if (settled(entry)) return make("span", { class: "tag good" }, stateText(entry.approvalState));
  if (entry.status === "waiting") return make("span", { class: "tag" }, t("waiting"));
  if (entry.status !== "done") return make("span", { class: "tag bad" }, stateText(entry.status) + (entry.reviewCount ? ` · ${entry.reviewCount}` : ""));
  if (entry.reviewCount) return make("span", { class: "tag review" }, t("{count} to review", { count: number(entry.reviewCount) }));
  if (isTextOnly(entry)) return make("span", { class: "tag" }, t("text only"));
  return make("span", { class: "tag good" }, make("span", { "aria-hidden": "true" }, "✓"), make("span", { class: "hidden" }, t("clear")));
}

function listEntry(entry) {
  const short = entry.fields.find((field) => field.value && field.value.length < 60);
  const under = [reasonText(entry.reason), entry.vendor || (short ? short.value : ""), entry.total && `${amount(entry.total)} ${entry.currency || ""}`.trim(), Object.keys(entry.recipes).map(spoken).join(", "), entry.folder].filter(Boolean).join(" · ");
  const mark = [entry.status, entry.approvalState, entry.reviewCount, under].join("\n");
  if (!entry.listEntry || entry.listMark !== mark) {
    entry.link = make("a", { class: "item", href: source.address(entry) }, make("span", { class: "name" }, entry.base), tag(entry), make("span", { class: "under" }, under));
    if (entry === current) entry.link.setAttribute("aria-current", "true");
    entry.listEntry = make("li", {}, entry.link);
    entry.listMark = mark;
  }
  return entry.listEntry;
}

const settled = (entry) => entry.approvalState === "approved" || entry.approvalState === "exported";

const chosenState = () => document.querySelector("#states input:checked").value;

/** Lists what the filters select. */
function filter() {
  const filters = { text: $("text").value, state: chosenState(), template: $("template").value, limit,
    from: $("from")?.value, until: $("until")?.value, order: $("order")?.value };
  return when(source.list(filters), (found) => {
    if (!found) return;
    for (const [state, count] of Object.entries(found.counts)) $(`count-${state}`).textContent = number(count);
    listed = found.entries;
    const more = found.total > listed.length && source.editable
      ? [make("li", {}, make("button", { type: "button", class: "quiet", on: { click: () => { limit = Math.min(1000, limit + 200); filter(); } } }, t("{count} more", { count: number(found.total - listed.length) })))] : [];
    const focused = document.activeElement;
    list.replaceChildren(...listed.map(listEntry), ...more);
    if (focused && focused !== document.activeElement && list.contains(focused)) focused.focus();
    showBulk();
    $("count").textContent = listed.length === found.total ? plural(listed.length, "document") : t("{count} of {documents}", { count: number(listed.length), documents: plural(found.total, "document") });
  });
}

function step(by) {
  const at = listed.indexOf(current), next = at < 0 ? listed[0] : listed[at + by];
  if (!next) return announce(by > 0 ? t("This is the last document.") : t("This is the first document."));
  return openDocument(next, "list");
}

/** Loads a document that is to be shown. */
function opened(entry) {
  const loaded = source.load(entry);
  if (!(loaded instanceof Promise)) return loaded;
  opening += 1;
  return loaded.finally(() => { opening -= 1; });
}

/** Opens a document and moves the address to it. ``focus``: ``list`` or ``heading``. */
function openDocument(entry, focus) {
  leaveEditor();
  source.go(entry);
  return when(opened(entry), (item) => { if (item) showDocument(item, focus); });
}

/** Selects the next or previous value to review in the listed documents; after the last one it starts over. */
function stepToReview(by) {
  const own = current ? reviewKeys(current) : [], at = own.indexOf(selected);
  const inside = at >= 0 ? own[at + by] : by > 0 ? own[0] : own.at(-1);
  if (inside) return select(inside, { focus: true });
  const others = listed.filter((entry) => entry.reviewCount > 0 && !settled(entry));
  if (!others.length && !own.length) return announce(t("No value in these documents needs a review."));
  const rank = (entry) => listed.indexOf(entry), here = current ? rank(current) : -1;
  let next = by > 0 ? others.find((entry) => rank(entry) > here) : others.findLast((entry) => rank(entry) < here);
  if (!next) {
    announce(t("Starting over."));
    next = by > 0 ? others[0] : others.at(-1);
  }
  const end = (item) => (by > 0 ? reviewKeys(item)[0] : reviewKeys(item).at(-1));
  if (!next || next === current) return select(end(current), { focus: true });
  return when(openDocument(next), () => { if (current === next && end(current)) select(end(current), { focus: true }); });
}

const reviewKeys = (item) => item.results.flatMap((result) => result.fields.filter((field) => field.reasons && !field.minor).map((field) => fieldKey(result, field)));

/** Follows the address, also back and forth. */
function openFromAddress() {
  const entry = source.atAddress();
  if (entry && entry !== current) return when(opened(entry), (item) => { if (item) showDocument(item, "heading"); });
  if (!entry) {
    const before = current;
    if (narrow.matches || !listed.length) showDocument(null);
    else if (!current) return openDocument(listed[0]);
    if (narrow.matches && before && before.link) before.link.focus();
  }
}
