/* Corrections: a field's editor, confirming, saying that the document has no such value, and taking a correction back. */

let editor = null;
/** The open editor: ``key`` of its field, and its ``form``. */

const author = () => $("author")?.value.trim() || "";

function addActions(key, { field, element }) {
  const edit = field.edit;
  if (!edit || !edit.kind) return;
  const absent = field.value === undefined && !field.items && !field.table;
  element.append(make("div", { class: "actions" },
    keyButton(absent ? t("Right: it has none") : t("Accept"), "a", () => accept(key)), keyButton(t("Correct"), "c", () => openEditor(key)),
    absent ? null : keyButton(t("Not in the document"), "x", () => save(key, null)),
    field.corrected ? keyButton(t("Withdraw"), "u", () => save(key, undefined)) : null));
  if (!field.history?.length) return;
  element.append(make("details", { class: "history" }, make("summary", {}, plural(field.history.length, "correction")), make("ol", { class: "soft" }, field.history.map((entry) => make("li", {},
    `${time(entry.at)} ${entry.by}: ${entry.withdrawn ? t("withdrew the correction") : shortened(valueText(entry.value), 200)} (${t("before: {value}", { value: shortened(valueText(entry.before), 200) })})`)))));
}

/** Opens the editor of a field, or the grid of a table. */
function openEditor(key) {
  const row = current?.rows.get(key), edit = row?.field.edit;
  if (!edit?.kind) return announce(row ? t("This value cannot be corrected: today's templates do not have its field.") : t("Select a field first: n takes the next doubtful one."));
  if (edit.kind === "table") return openTable(key);
  select(key, { row: true });
  leaveEditor();
  const values = edit.kind === "texts" ? edit.value : [edit.kind === "many" ? (edit.value || []).join("\n") : edit.value ?? ""];
  const name = spoken(row.field.name);
  const inputs = edit.choices.length && edit.kind === "one"
    ? [make("select", { "aria-label": name }, make("option", { value: "" }, "—"), edit.choices.map((choice) => make("option", { value: choice, selected: choice === edit.value }, choice)))]
    : values.map((text, n) => Object.assign(make("textarea", { "aria-label": edit.kind === "texts" ? `${name}, ${t("page {page}", { page: n + 1 })}` : name, rows: edit.kind === "texts" ? 8 : Math.min(12, text.split("\n").length), spellcheck: "false", autocomplete: "off" }), { value: text }));
  const form = make("form", { class: "editor", on: { submit: (event) => { event.preventDefault(); saveEditor(); } } }, inputs,
    make("p", { class: "refused", role: "alert", hidden: true }),
    make("div", { class: "actions" }, make("button", { class: "plain first" }, `${t("Save")} `, make("kbd", { "aria-hidden": "true" }, edit.kind === "texts" ? "Ctrl Enter" : "Enter")), keyButton(t("Leave"), "Esc", () => leaveEditor(true)),
      current.words === false ? null : make("span", { class: "soft" }, t("or click words of the page"))));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && !event.target.closest("button") && (edit.kind === "texts" ? event.ctrlKey || event.metaKey : !event.shiftKey)) { event.preventDefault(); saveEditor(); }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); leaveEditor(true); }
  });
  row.element.querySelector(".value").after(form);
  row.element.classList.add("editing");
  editor = { key, form, inputs, before: inputs.map((input) => input.value), version: edit.version };
  inputs[0].focus();
  inputs[0].select?.();
  takeInHand(edit.choices.length && edit.kind === "one" ? null : (text, adding) => {
    const input = inputs.find((other) => other === document.activeElement) || inputs[0];
    const picked = edit.kind === "one" && !edit.multiline ? text.replaceAll("\n", " ") : text;
    input.value = adding || edit.kind === "texts" ? [input.value, picked].filter(Boolean).join(edit.kind === "one" ? " " : "\n") : picked;
    input.focus();
  });
}

/** Whether something was entered that is not saved. */
const hasUnsaved = () => Boolean(editor && editor.inputs.some((input, n) => input.value !== editor.before[n])) || tableIsUnsaved();

function leaveEditor(refocus) {
  if (!editor) return;
  const { key, form } = editor;
  editor = null;
  takeInHand(null);
  form.closest(".field")?.classList.remove("editing");
  form.remove();
  if (refocus) current.rows.get(key)?.button.focus({ preventScroll: true });
}

function enteredValue({ inputs }, { kind }) {
  if (kind === "many") return inputs[0].value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (kind === "texts") return inputs.map((input) => input.value);
  return inputs[0].value.trim() === "" ? null : inputs[0].value;
}

function saveEditor() {
  const { key } = editor;
  return save(key, enteredValue(editor, current.rows.get(key).field.edit));
}

/** Confirms the value of the field in hand, and goes on to the next doubtful one. */
function accept(key) {
  const row = key && current?.rows.get(key);
  if (!row) return announce(t("Select a field first: n takes the next doubtful one."));
  if (!row.field.edit?.kind) return announce(t("This value cannot be confirmed: today's templates do not have its field."));
  return save(key, row.field.edit.value);
}

const emptied = (value) => (Array.isArray(value) && value.length === 0 ? null : value);

/** Saves a value; undefined withdraws the correction. A refusal stands in the editor (or in ``refusal``), and what was entered stays. */
async function save(key, value, refusal) {
  const item = current, { result, field } = item.rows.get(key), open = editor?.key === key ? editor : null;
  const url = `/api/documents/${item.id}/fields/${encodeURIComponent(result.template)}/${encodeURIComponent(field.raw_name)}`;
  const version = open ? open.version : field.edit.version;
  if (value === undefined && !field.corrected) return announce(t("This field has no correction."));
  const { status, answer } = value === undefined
    ? await call("DELETE", `${url}?version=${version}&by=${encodeURIComponent(author())}`)
    : await call("PUT", url, { value: emptied(value), version, by: author() });
  if (status !== 200) {
    const text = status === 409 ? conflictText(answer.current) : detail(answer);
    if (status === 409) { if (open) open.version = answer.current.version; else field.edit.version = answer.current.version; }
    const refused = refusal || open?.form.querySelector(".refused");
    if (!refused) { announce(text); return false; }
    refused.textContent = text;
    refused.hidden = false;
    return false;
  }
  const before = reviewKeys(item), at = before.indexOf(key);
  if (open) leaveEditor();
  const loaded = await source.load(item);
  if (current !== item || !loaded) return true;
  showDocument(loaded);
  refreshEntry(loaded);
  announce(value === undefined ? t("Withdrawn.") : t("Saved."));
  const open_ = reviewKeys(loaded), after = value === undefined ? null : before.slice(at + 1).find((other) => open_.includes(other)) || open_[0];
  if (after) select(after, { focus: true });
  else {
    if (selected !== key) select(key, { focus: true });
    else loaded.rows.get(key)?.button.focus({ preventScroll: true });
    if (value !== undefined && !open_.length) announce(t("Saved. No doubtful value is left."));
  }
  return true;
}

function conflictText(now) {
  const values = { name: now.by, time: time(now.at), value: shortened(valueText(now.value), 200) };
  const change = now.withdrawn ? t("{name} withdrew the correction in the meantime ({time}).", values) : t("{name} entered {value} in the meantime ({time}).", values);
  return `${change} ${t("Your value is not saved. Save again to replace theirs.")}`;
}

/** Updates the line of a document in the list. */
function refreshEntry(entry) {
  const before = entry.listEntry;
  if (before?.isConnected && listEntry(entry) !== before) before.replaceWith(entry.listEntry);
}
