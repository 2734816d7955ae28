/* Where documents come from: data in this file (`pipeline review`), or the API of the server (`pipeline serve`). Only the latter can be
   corrected. An entry is a document of the list; a loaded entry has its results and pages too. */

const { documents = [], about = {}, served, language = "en", texts = {}, names = {} } = JSON.parse($("data").textContent);

function prepare(item) {
  item.fields = item.results.flatMap((result) => result.fields);
  item.reviewCount = item.fields.filter((field) => field.reasons && !field.minor).length;
  return named(item);
}

function named(entry) {
  entry.state = entry.status !== "done" ? "failed" : entry.reviewCount ? "review" : "clear";
  const slash = entry.name.lastIndexOf("/");
  entry.base = entry.name.slice(slash + 1);
  if (/^[\d-]+$/.test(entry.base) && slash > 0) entry.base = `${entry.name.slice(entry.name.lastIndexOf("/", slash - 1) + 1, slash)} · ${entry.base}`; // a part of a stack
  entry.folder = entry.name.slice(0, Math.max(0, slash));
  return entry;
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

const embedded = {
  states: { all: t("All"), review: t("To review"), failed: t("Failed"), clear: t("Clear") },
  firstState: "all",
  editable: false,
  mayChange: false,
  orders: {
    urgent: (a, b) => (b.state !== "clear") - (a.state !== "clear") || a.index - b.index,
    latest: (a, b) => a.index - b.index,
    name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  },
  templates: () => [...new Set(documents.flatMap((item) => Object.keys(item.recipes)))].sort(),
  fits: (item, state) => state === "all" || item.state === state || (state === "review" && item.reviewCount > 0),
  list({ text, state, template, from, until, order }) {
    const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = documents.filter((item) =>
      (!template || template in item.recipes) && (!from || item.published.slice(0, 10) >= from) && (!until || item.published.slice(0, 10) <= until)
      && parts.every((part) => searchText(item).includes(part)));
    const counts = Object.fromEntries(Object.keys(this.states).map((which) => [which, matches.filter((item) => this.fits(item, which)).length]));
    return { entries: matches.filter((item) => this.fits(item, state)).sort(this.orders[order]), counts, total: documents.length };
  },
  load: (item) => item,
  image(item, page) { const holder = $(`image-${item.index}-${page.page}`); return holder && holder.textContent; },
  page: (item, page) => page,
  words: () => null,
  chart: (item, result) => result.chart,
  address: (entry) => (entry ? `#d${entry.index}` : "#"),
  atAddress() { const match = /^#d(\d+)$/.exec(location.hash); return match ? documents[Number(match[1])] : null; },
  go(entry) {
    if (narrow.matches && entry) location.hash = this.address(entry); // so that the browser's way back leads to the list
    else location.replace(this.address(entry));
  },
};

const entries = new Map();
/** The entry of a document by its id: one object as long as the page is open. */
function entryOf(summary) {
  const entry = entries.get(summary.id) || { id: summary.id, results: [], fields: [], page_list: [], folder: "" };
  entries.set(summary.id, entry);
  return entry;
}

const fromServer = {
  states: { to_check: t("To check"), approved: t("Approved"), all: t("All"), failed: t("Failed") },
  firstState: "to_check",
  editable: true,
  mayChange: Boolean(served?.may_change), // else the role of the person is to look
  templates: () => served.templates,
  async list({ text, state, template, limit }) {
    // in the order in which they came: a corrected document stays where it is, and so does the next one
    const query = new URLSearchParams({ q: text, template, limit, sort: "added", descending: true });
    if (state === "failed") query.set("status", "failed");
    else if (state !== "all") query.set("state", state);
    const { status, answer } = await call("GET", `/api/documents?${query}`);
    if (status !== 200) { announce(detail(answer)); return null; }
    return { entries: answer.documents.map((summary) => this.summarised(summary)), total: answer.total, counts: {} };
  },
  summarised(summary) {
    const entry = entryOf(summary);
    const { file: name, review, templates, state: approvalState, ...rest } = summary;
    return named(Object.assign(entry, rest, { name, approvalState, reviewCount: rest.doubtful, recipes: Object.fromEntries(templates.map((template) => [template, ""])) }));
  },
  async load(entry) {
    const { status, answer } = await call("GET", `/api/documents/${entry.id}/view`);
    if (status !== 200) { announce(detail(answer)); return null; }
    const sizes = entry.sha256 === answer.sha256 ? new Map(entry.page_list.map((page) => [page.page, page.size])) : new Map();
    for (const page of answer.page_list) page.size = sizes.get(page.page);
    return prepare(Object.assign(entry, answer, { approvalState: answer.approval.at(-1)?.state || (answer.status === "waiting" ? "new" : "to_check") }));
  },
  image: (item, page) => `/api/documents/${item.id}/pages/${page.page}.webp?v=${item.sha256.slice(0, 12)}`,
  async page(item, page) {
    if (page.size) return page;
    const { status, answer } = await call("GET", `/api/documents/${item.id}/pages/${page.page}`);
    if (status === 200) page.size = [answer.width, answer.height];
    else page.undrawn = detail(answer);
    return page;
  },
  async words(item, page) {
    const { status, answer } = await call("GET", `/api/documents/${item.id}/pages/${page.page}/words?v=${item.marker}`);
    return status === 200 ? answer : null;
  },
  chart: (item, result) => (result.has_chart ? `/documents/${item.id}/redrawn/${encodeURIComponent(result.template)}.svg?v=${encodeURIComponent(item.marker)}` : null),
  address: (entry) => (entry ? `/documents/${entry.id}` : "/"),
  atAddress() { const match = /^\/documents\/([^/]+)$/.exec(location.pathname); return match ? entryOf({ id: match[1] }) : null; },
  go(entry) { if (entry && location.pathname !== this.address(entry)) history.pushState(null, "", this.address(entry)); },
};

const source = served ? fromServer : embedded;
for (const [index, item] of documents.entries()) { item.index = index; prepare(item); }
