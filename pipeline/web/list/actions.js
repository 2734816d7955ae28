/* What is done with the chosen documents. */

const CHUNK = 500;

/** Sends the chosen documents to the server, a part at a time. ``act`` gives the answer to one part: what it took, and what is ``left``. */
async function inChunks(text, act) {
  const ids = await identifiers();
  if (!ids) return;
  let done = 0, left = 0;
  for (let at = 0; at < ids.length; at += CHUNK) {
    announce(`${text}: ${t("{count} of {documents}", { count: number(at), documents: plural(ids.length, "document") })}`);
    const answer = await act(ids.slice(at, at + CHUNK));
    if (!answer) return;
    done += (answer.decided || answer.orders).length;
    left += answer.left.length;
  }
  chooseNone();
  await refresh("progress", "results");
  announce(`${text}: ${plural(done, "document")}${left ? `, ${t("{count} left as they are", { count: number(left) })}` : ""}.`);
}
const decide = (text, state, more) => inChunks(text, (ids) => answered("PUT", "/api/states", { ids, state, by: author(), ...more }));
const readAgain = () => inChunks(t("Ordered to be read again"), (ids) => answered("POST", "/api/readings", { ids, template: $("template")?.value || null, by: author() }));

async function download(url, body, name) {
  announce(t("The file is being made …"));
  let response = null;
  try { response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }); } catch { /* no answer */ }
  if (!response?.ok) {
    let answer = {};
    try { answer = await response.json(); } catch { /* not JSON */ }
    announce(detail(answer) || t("the server does not answer"));
    return;
  }
  const link = make("a", { href: URL.createObjectURL(await response.blob()), download: name });
  document.body.append(link);
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); link.remove(); }, 60000);
  announce(t("{file} is downloaded.", { file: name }));
}

async function exported(kind) {
  const ids = await identifiers();
  if (ids) await download("/api/exports", { kind, ids }, kind === "csv" ? "overview.csv" : `documents.${kind}`);
}

async function originals() {
  const ids = await identifiers();
  if (!ids) return;
  if (ids.length > 1000) announce(t("At most 1,000 originals at once: choose fewer."));
  else await download("/api/originals", { ids }, "originals.zip");
}

function showActions() {
  const holder = $("bulk");
  if (!holder) return;
  const count = chosenCount(), page = boxes();
  holder.hidden = !count;
  const focused = holder.contains(document.activeElement) ? document.activeElement.textContent : null;
  holder.replaceChildren(...(!count ? [] : [
    make("span", { role: "status" }, t("{count} chosen", { count: number(count) })),
    !every && page.length && total() > page.length && page.every((box) => box.checked) ? quietly(t("Choose all {count} that match", { count: number(total()) }), () => { every = true; showChoice(); }) : null,
    ...(mayChange ? [
      quietly(t("Approve"), () => decide(t("Approved"), "approved")),
      quietly(t("Approve those without doubts"), () => decide(t("Approved"), "approved", { doubtless: true })),
      quietly(t("Check again"), () => decide(t("To be checked"), "to_check")),
      quietly(t("Mark as exported"), () => decide(t("Marked as exported"), "exported")),
      quietly(t("Read again"), readAgain),
    ] : []),
    quietly(t("Overview (CSV)"), () => exported("csv")),
    quietly("Excel", () => exported("xlsx")),
    quietly("JSON Lines", () => exported("jsonl")),
    quietly(t("Originals (zip)"), originals),
    mayChange ? quietly(t("Delete"), deleteChosen) : null,
    quietly(t("Choose none"), chooseNone),
  ].filter(Boolean)));
  if (focused) [...holder.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
}
