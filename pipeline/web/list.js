// The list of documents: choosing rows, what is done with the chosen ones, and saved views.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const announce = (text) => { $("#message").textContent = text; };
  const author = () => $("#author")?.value.trim() || "";
  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const CHUNK = 500;
  const mayChange = Boolean($("#drop"));

  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter(Boolean));
    return element;
  }
  const button = (text, act) => make("button", { type: "button", class: "plain", on: { click: act } }, text);

  async function request(method, url, body) {
    const options = { method, headers: {} };
    if (body !== undefined) { options.headers["content-type"] = "application/json"; options.body = JSON.stringify(body); }
    try { return await fetch(url, options); } catch { return null; }
  }
  async function json(method, url, body) {
    const response = await request(method, url, body);
    let answer = {};
    try { if (response && response.status !== 204) answer = await response.json(); } catch { /* not JSON */ }
    if (response?.ok) return answer;
    announce(typeof answer.detail === "string" ? answer.detail : "The server does not answer.");
    return null;
  }

  // ---- choosing -----------------------------------------------------------------------------------
  const chosen = new Set();
  let every = false, last = null;
  const boxes = () => [...document.querySelectorAll("#results .pick input[value]")];
  const results = () => $("#results");
  const total = () => Number(results().dataset.total);

  function show() {
    const all = boxes();
    for (const box of all) { box.hidden = false; box.checked = every || chosen.has(box.value); }
    const heading = $("#results th.pick");
    if (heading && all.length) {
      const box = make("input", { type: "checkbox", "aria-label": "Choose all of this page", on: { change: (event) => choosePage(event.target.checked) } });
      box.checked = all.every((one) => one.checked);
      heading.replaceChildren(box);
    }
    showActions();
  }

  function choosePage(on) {
    every = false;
    for (const box of boxes()) if (on) chosen.add(box.value); else chosen.delete(box.value);
    show();
  }

  function clear() { chosen.clear(); every = false; show(); }

  document.addEventListener("click", (event) => {
    const box = event.target.closest("#results td.pick input");
    if (!box) return;
    const all = boxes();
    if (every) { every = false; for (const one of all) chosen.add(one.value); }
    const [from, to] = [all.indexOf(event.shiftKey && last ? all.find((one) => one.value === last) : box), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(Math.max(0, from), to + 1)) if (box.checked) chosen.add(one.value); else chosen.delete(one.value);
    last = box.value;
    show();
  });

  /** The identifiers of all chosen documents; null where the server does not give them. */
  async function identifiers() {
    if (!every) return [...chosen];
    const found = [];
    for (let offset = 0; ; offset += 1000) {
      const answer = await json("GET", `/api/documents?${results().dataset.query}&sort=name&limit=1000&offset=${offset}`);
      if (!answer) return null;
      found.push(...answer.documents.map((item) => item.id));
      if (answer.documents.length < 1000) return found;
    }
  }

  // ---- actions ------------------------------------------------------------------------------------
  async function inChunks(text, act) {
    const ids = await identifiers();
    if (!ids) return;
    let done = 0, left = 0;
    for (let at = 0; at < ids.length; at += CHUNK) {
      announce(`${text}: ${at.toLocaleString("en")} of ${plural(ids.length, "document")}`);
      const answer = await act(ids.slice(at, at + CHUNK));
      if (!answer) return;
      done += (answer.decided || answer.orders).length;
      left += answer.left.length;
    }
    announce(`${text}: ${plural(done, "document")}${left ? `, ${left.toLocaleString("en")} left as they are` : ""}.`);
    clear();
    document.dispatchEvent(new Event("changed"));
  }
  const decide = (text, state, more) => inChunks(text, (ids) => json("PUT", "/api/states", { ids, state, by: author(), ...more }));

  async function download(url, body, name) {
    announce("The file is being made …");
    const response = await request("POST", url, body);
    if (!response?.ok) {
      let answer = {};
      try { answer = await response.json(); } catch { /* not JSON */ }
      return announce(typeof answer.detail === "string" ? answer.detail : "The server does not answer.");
    }
    const link = make("a", { href: URL.createObjectURL(await response.blob()), download: name });
    document.body.append(link);
    link.click();
    setTimeout(() => { URL.revokeObjectURL(link.href); link.remove(); }, 60000);
    announce(`${name} is downloaded.`);
    return null;
  }
  async function exported(kind) {
    const ids = await identifiers();
    if (ids) await download("/api/exports", { kind, ids }, `documents.${kind}`);
  }
  async function originals() {
    const ids = await identifiers();
    if (!ids) return;
    if (ids.length > 1000) { announce("At most 1,000 originals at once: choose fewer."); return; }
    await download("/api/originals", { ids }, "originals.zip");
  }
  const reread = () => inChunks("Ordered to be read again", (ids) => json("POST", "/api/readings", { ids, template: $("#template")?.value || null, by: author() }));

  function showActions() {
    const holder = $("#bulk");
    if (!holder) return;
    const count = every ? total() : chosen.size;
    holder.hidden = !count;
    if (!count) { holder.replaceChildren(); return; }
    const page = boxes();
    const focused = holder.contains(document.activeElement) ? document.activeElement.textContent : null;
    holder.replaceChildren(...[
      make("span", { role: "status" }, `${count.toLocaleString("en")} chosen`),
      !every && page.length && total() > page.length && page.every((box) => box.checked) ? button(`Choose all ${total().toLocaleString("en")} that match`, () => { every = true; show(); }) : null,
      ...(mayChange ? [
        button("Approve", () => decide("Approved", "approved")),
        button("Approve those without doubts", () => decide("Approved", "approved", { doubtless: true })),
        button("Check again", () => decide("To be checked", "to_check")),
        button("Mark as exported", () => decide("Marked as exported", "exported")),
        button("Read again", reread),
      ] : []),
      button("Excel", () => exported("xlsx")),
      button("JSON Lines", () => exported("jsonl")),
      button("Originals (zip)", originals),
      button("Choose none", clear),
    ].filter(Boolean));
    if (focused) [...holder.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
  }

  // ---- saved views --------------------------------------------------------------------------------
  const select = $("#view");
  async function showViews(name) {
    const views = await json("GET", "/api/views");
    if (!views) return;
    $("#views").hidden = false;
    select.replaceChildren(make("option", { value: "" }, "—"), ...views.map((view) => make("option", { value: view.name, "data-query": view.query }, view.name)));
    const here = name || views.find((view) => `?${view.query}` === location.search)?.name || "";
    select.value = here;
    $("#save-view").hidden = !mayChange;
    $("#delete-view").hidden = !here || !mayChange;
  }
  if (select) {
    select.addEventListener("change", () => { location.search = select.selectedOptions[0].dataset.query || ""; });
    $("#save-view").addEventListener("click", () => {
      const name = make("input", { maxlength: 80, "aria-label": "Name of the view", placeholder: "name of the view", required: true });
      const form = make("form", { class: "filters" }, name, make("button", { class: "plain" }, "Save"), button("Cancel", () => form.remove()));
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const query = new URLSearchParams(location.search);
        query.delete("page");
        if (!await json("PUT", `/api/views/${encodeURIComponent(name.value.trim())}`, { query: query.toString() })) return;
        form.remove();
        announce(`The view “${name.value.trim()}” is saved.`);
        await showViews(name.value.trim());
      });
      if (!$("#views form")) { $("#views").append(form); name.focus(); }
    });
    $("#delete-view").addEventListener("click", async () => {
      if (await json("DELETE", `/api/views/${encodeURIComponent(select.value)}`)) { announce(`The view “${select.value}” is deleted.`); await showViews(); }
    });
    showViews();
  }

  document.addEventListener("refreshed", show);
  show();
})();
