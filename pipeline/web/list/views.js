/* Saved views: filters and order of the list under a name. */

async function showViews(name) {
  const views = await answered("GET", "/api/views"), select = $("view");
  if (!views) return;
  $("views").hidden = false;
  select.replaceChildren(make("option", { value: "" }, "—"), ...views.map((view) => make("option", { value: view.name, "data-query": view.query }, view.name)));
  const here = name || views.find((view) => `?${view.query}` === location.search)?.name || "";
  select.value = here;
  $("save-view").hidden = !mayChange;
  $("delete-view").hidden = !here || !mayChange;
}

function saveView() {
  if (document.querySelector("#views form")) return;
  const name = make("input", { maxlength: 80, "aria-label": t("Name of the view"), placeholder: t("name of the view"), required: true });
  const form = make("form", { class: "filters" }, name, make("button", { class: "plain" }, t("Save")), quietly(t("Cancel"), () => form.remove()));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const query = new URLSearchParams(location.search), given = name.value.trim();
    query.delete("page");
    if (!await answered("PUT", `/api/views/${encodeURIComponent(given)}`, { query: query.toString() })) return;
    form.remove();
    announce(t("The view “{name}” is saved.", { name: given }));
    await showViews(given);
  });
  $("views").append(form);
  name.focus();
}

async function deleteView() {
  const name = $("view").value;
  if (!await answered("DELETE", `/api/views/${encodeURIComponent(name)}`)) return;
  announce(t("The view “{name}” is deleted.", { name }));
  await showViews();
}

function offerViews() {
  $("view").addEventListener("change", (event) => { location.search = event.target.selectedOptions[0].dataset.query || ""; });
  $("save-view").addEventListener("click", saveView);
  $("delete-view").addEventListener("click", deleteView);
  showViews();
}
