/* Answers while a language model writes them. A stream that breaks is opened again by the browser; what was written is in the history
   when it is complete, whether anybody has followed it or not. */

const MOST_FOLLOWED = 3; // browsers open few connections to a server
const drafts = new Map(); // by question: its stream, and the text so far

/** Follows the questions of a document that have no answer yet, and leaves those of the document before. */
function followAnswers(item) {
  const open = served?.looks_up ? [] : (item?.questions || []).filter((question) => !question.outcome).slice(-MOST_FOLLOWED).map((question) => question.id);
  for (const [id, draft] of drafts) if (!open.includes(id)) { draft.stream.close(); drafts.delete(id); }
  for (const id of open) if (!drafts.has(id)) followAnswer(id);
}

function followAnswer(id) {
  const stream = new EventSource(`/api/orders/${id}/events`), draft = { stream, text: "" };
  drafts.set(id, draft);
  stream.addEventListener("answer", (event) => {
    const isFirst = !draft.text;
    draft.text = JSON.parse(event.data).answer;
    const place = main.querySelector(`[data-question="${id}"] .draft`);
    if (!place) return;
    place.textContent = draft.text;
    if (isFirst) place.closest("ol").scrollTop = place.closest("ol").scrollHeight;
  });
  stream.addEventListener("order", (event) => {
    stream.close();
    const question = current?.questions?.find((other) => other.id === id), place = main.querySelector(`[data-question="${id}"]`);
    if (!question || !place) return;
    if (!isTyping()) { reload(); return; }
    question.outcome = JSON.parse(event.data).outcome;
    place.replaceChildren(place.firstElementChild, ...answerParts(question));
    refreshBoxes();
  });
}
