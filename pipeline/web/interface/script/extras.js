/* What only a server can do with a document besides its fields: questions, other splits, reading again. */

function extras(item) {
  if (!source.editable || item.status === undefined || !item.kind) return [];
  if (!source.mayChange) return item.comments.length ? [commentsSection(item)] : [];
  return [commentsSection(item), questionsSection(item), splitSection(item), rereadSection(item)].filter(Boolean);
}

/** A form that sends something and says what came of it. ``send`` returns a message, or null where the server refused. */
function orderForm(properties, send, ...children) {
  const form = make("form", { class: "order", ...properties }, ...children);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const message = await send(form);
    if (message) { announce(message); await reload(); }
  });
  return form;
}

async function accepted(method, url, body) {
  const { status, answer } = await call(method, url, body);
  if (status >= 200 && status < 300) return true;
  announce(detail(answer));
  return false;
}

/* ---- comments ---- */

function commentsSection(item) {
  const entries = item.comments.map((comment) => make("li", {}, make("p", { class: "answer" }, comment.text), make("p", { class: "soft" }, `${comment.by}, ${time(comment.at)}`)));
  const form = source.mayChange && orderForm({ id: "comment" }, async (form_) => {
    const sent = await accepted("POST", `/api/documents/${item.id}/comments`, { text: form_.text.value, by: author() });
    if (sent) form_.text.value = "";
    return sent ? t("Noted.") : null;
  }, make("label", { class: "grow" }, `${t("Comment")} `, make("input", { name: "text", maxlength: 2000, required: true, autocomplete: "off" })), make("button", { class: "plain" }, t("Add")));
  return make("details", { class: "questions", open: entries.length > 0 }, make("summary", {}, entries.length ? plural(entries.length, "comment") : t("Comment")), entries.length ? make("ol", { class: "comments" }, entries) : null, form);
}

/* ---- passwords ---- */

/** Whether a person has given the right password, with which the document has not been read yet. */
const isUnlocked = (item) => Boolean(item.lock && item.reread && !item.reread.error);

function lockParts(item) {
  if (item.locked?.length) return [make("p", { class: "notice" }, t("These need a password:"), item.locked.flatMap((other) => [" ", make("a", { href: `/documents/${other.id}` }, other.file)]))];
  if (!item.lock || isUnlocked(item)) return [];
  const refused = make("p", { class: "refused", role: "alert", hidden: true });
  const label = item.lock.parts.length ? `${t("Password of {parts}", { parts: shortened(item.lock.parts.join(", "), 300) })} ` : `${t("Password")} `;
  const form = orderForm({ id: "unlock" }, async (form_) => {
    const { password } = form_, text = password.value, button = form_.querySelector("button");
    password.value = "";
    refused.hidden = password.disabled = button.disabled = true; // so that nothing is typed into a form that does not take it
    button.textContent = t("Being tried …");
    announce(t("The password is being tried."));
    const { status, answer } = await call("POST", `/api/documents/${item.id}/password`, { password: text, by: author() });
    password.disabled = button.disabled = false;
    button.textContent = t("Unlock");
    if (status === 202) return t("Unlocked. It will be read soon.");
    refused.textContent = detail(answer);
    refused.hidden = false;
    announce("");
    password.focus();
    return null;
  }, make("label", { class: "grow" }, label, make("input", { type: "password", name: "password", required: true, maxlength: 1000, autocomplete: "off", spellcheck: "false" })), make("button", { class: "plain first" }, t("Unlock")), refused);
  return [form];
}

/* ---- questions ---- */

function questionsSection(item) {
  if (!item.pages || item.is_split) return null;
  const last = item.questions.filter((question) => question.page === view.page).at(-1) || item.questions.at(-1);
  const entries = item.questions.map((question) => make("li", { class: question.follows ? "follows" : null, "data-question": question.id }, make("p", { class: "question" }, question.question), answerParts(question)));
  const follow = item.questions.length ? make("label", { class: "check" }, make("input", { type: "checkbox", name: "follow", checked: true }), t("follows up on the last question")) : null;
  const form = orderForm({ id: "ask" }, async (form_) => {
    const follows = form_.follow?.checked && last ? last.id : null, text = form_.question.value;
    const sent = await accepted("POST", `/api/documents/${item.id}/questions`, { page: view.page || item.page_list[0]?.page || 1, question: text, follows, by: author() });
    if (sent) form_.question.value = "";
    return sent ? t("Asked.") : null;
  }, make("label", { class: "grow" }, `${t("Question")} `, make("input", { name: "question", maxlength: 500, required: true, placeholder: t("What is the delivery date?"), autocomplete: "off" })), follow, make("button", { class: "plain first" }, t("Ask")));
  const section = make("section", { class: "questions", "aria-label": t("Questions") }, make("h3", {}, t("Ask about this page")), served.looks_up ? make("p", { class: "soft" }, t("No language model answers here: what is printed on the page is looked up.")) : null, entries.length ? make("ol", { id: "questions", tabindex: "0", "aria-label": t("Questions and answers") }, entries) : null, form);
  for (const [kind, on] of [["mouseover", true], ["mouseout", false]]) section.addEventListener(kind, (event) => markAnswer(event.target.closest("[data-question]")?.dataset.question, on));
  return section;
}

function answerParts({ id, outcome, notes }) {
  if (!outcome) return [served?.looks_up ? null : make("p", { class: "answer draft" }, drafts.get(id)?.text || ""), make("p", { class: "soft" }, make("span", { class: "dot busy" }), ` ${t("being answered")}`)];
  if (outcome.error) return [make("p", { class: "review" }, t("no answer: {reason}", { reason: outcome.error }))];
  if (outcome.answer === null) return [make("p", { class: "answer" }, t("Nothing on the page answers this.")), make("p", { class: "soft" }, outcome.engine)];
  const about = [outcome.printed && outcome.printed !== outcome.answer ? t("printed “{text}”", { text: shortened(outcome.printed, 120) }) : "", outcome.engine, outcome.grounding === "none" ? t("not found on the page") : "", ...notes];
  return [make("p", { class: "answer" }, valueText(outcome.answer)), make("p", { class: "soft" }, about.filter(Boolean).join(" · "))];
}

/** The boxes of the answers on a page. All but the last one appear only while a person points at their question. */
function answerBoxes(item, page) {
  const answered = (item.questions || []).filter((question) => question.page === page.page && question.outcome?.box);
  return answered.map((question, n) => placeBox(make("div", { class: `box answer${n < answered.length - 1 ? " past" : ""}`, "data-answer": question.id, title: question.question }), question.outcome.box, ...page.size));
}

function markAnswer(id, on) {
  for (const box of main.querySelectorAll("[data-answer]")) if (box.dataset.answer === id) box.classList.toggle("on", on);
}

/* ---- splits and reading again ---- */

const SPLIT_TRIES = 12, SPLIT_PAUSE = 400;

/** The identifier of the first document of a new split, once its results are there; that of the file where they do not follow within seconds. */
async function firstDocument(split, text) {
  const wanted = textOfDocuments(pagesOfDocuments(text)).split(",");
  for (let tries = 0; wanted.length > 1 && tries < SPLIT_TRIES; tries++) {
    const { status, answer } = await call("GET", `/api/documents/${split.id}/split`);
    const found = status === 200 ? answer.documents : [];
    if (found.length === wanted.length && found.every((part) => wanted.includes(part.pages))) return found.find((part) => part.pages === wanted[0]).id;
    await new Promise((done) => { setTimeout(done, SPLIT_PAUSE); });
  }
  return split.id;
}

function splitSection(item) {
  const { split } = item;
  if (!split) return null;
  const link = (part) => make("a", { href: `/documents/${part.id}`, "aria-current": part.id === item.id ? "page" : null }, /^[\d.]+$/.test(part.pages) ? t("page {page}", { page: part.pages }) : t("pages {pages}", { pages: part.pages }));
  const parts = split.documents.length ? make("p", {}, item.is_split ? `${t("This file holds {documents}:", { documents: plural(split.documents.length, "document") })} ` : [`${t("Part of")} `, make("a", { href: `/documents/${split.id}` }, split.file), ": "], split.documents.flatMap((part) => [link(part), " "])) : null;
  const url = `/api/documents/${item.id}/split`;
  const pages = make("input", { name: "pages", required: true, maxlength: 20000, value: split.pages, placeholder: "1-3,4,5-6", autocomplete: "off" });
  const form = orderForm({ id: "split" }, async (form_) => {
    if (!await accepted("PUT", url, { pages: form_.pages.value, by: author() })) return null;
    announce(t("It is split."));
    location.assign(`/documents/${await firstDocument(split, form_.pages.value)}`);
    return t("It is split.");
  }, make("label", { class: "grow" }, `${t("Pages of each document")} `, pages), make("button", { class: "plain" }, t("Split")),
  split.source === "person" ? keyButton(t("Let the program decide"), "", async () => { if (await accepted("DELETE", url)) location.assign(`/documents/${split.id}`); }) : null);
  return make("section", { class: "split" }, parts, item.doubts.map((text) => make("p", { class: "review" }, t("Please check: {what}", { what: text }))), make("details", { open: item.is_split }, make("summary", {}, t("Split")), form && stackEditor(split, pages), form));
}

function rereadSection(item) {
  const choice = (label, name, values) => make("label", {}, `${label} `, make("select", { name }, make("option", { value: "" }, t("by the settings")), values.map((value) => make("option", { value }, name === "template" ? spoken(value) : value))));
  const form = orderForm({ id: "reread" }, async (form_) => {
    const body = { template: form_.template.value || null, engine: form_.engine.value || null, by: author() };
    return (await accepted("POST", `/api/documents/${item.id}/readings`, body)) ? t("It will be read again soon.") : null;
  }, choice(t("Template"), "template", served.templates), choice(t("Engine"), "engine", served.engines), make("button", { class: "plain" }, t("Read again")));
  return make("details", {}, make("summary", {}, t("Read again")), form, item.reread ? make("p", { class: item.reread.error ? "notice" : "soft" }, item.reread.error ? t("It could not be read again: {reason}", { reason: item.reread.error }) : t("It is being read again.")) : null);
}
