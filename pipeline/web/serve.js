// The list of documents: uploads files, and updates the parts of the page that have changed.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const announce = (text) => { $("#message").textContent = text; };
  const author = $("#author");
  try { if (author) author.value = localStorage.getItem("author") || ""; } catch { /* the browser forbids storage */ }
  author?.addEventListener("change", () => { try { localStorage.setItem("author", author.value); } catch { /* the browser forbids storage */ } });

  async function call(method, url, body) {
    const options = { method, headers: {} };
    if (body !== undefined) { options.headers["content-type"] = "application/json"; options.body = JSON.stringify(body); }
    let response;
    try { response = await fetch(url, options); } catch { return { status: 0, answer: { detail: "the server does not answer" } }; }
    let answer = {};
    try { answer = await response.json(); } catch { /* not JSON */ }
    return { status: response.status, answer };
  }
  const detail = (answer) => typeof answer.detail === "string" ? answer.detail : (answer.detail || []).map((item) => item.msg).join("; ");

  // ---- parts of the page that are updated ---------------------------------------------------------
  async function refresh(url, ...ids) {
    let text;
    try { text = await (await fetch(url, { headers: { accept: "text/html" } })).text(); } catch { return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const id of ids) {
      const old = document.getElementById(id), now = page.getElementById(id);
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
  }

  let marker = $("[data-marker]")?.dataset.marker, failures = 0;
  async function poll() {
    const { status, answer } = await call("GET", "/api/status");
    failures = status === 200 ? 0 : failures + 1;
    if (failures === 3) announce("The server does not answer. Saved corrections are kept.");
    if (status === 200) {
      const changed = answer.marker !== marker;
      await refresh(location.pathname + location.search, "progress", ...(changed ? ["results"] : []));
      marker = answer.marker;
    }
    setTimeout(poll, answer.run?.state === "reading" || failures ? 1000 : 2000);
  }
  if ($("[data-marker]")) setTimeout(poll, 1000);

  // ---- files ------------------------------------------------------------------------------------
  const drop = $("#drop");
  function uploadMessage(answer) {
    return answer.already ? `${answer.file}: these contents are in the inbox already` : `${answer.file}: in the inbox`;
  }
  function send(file) {
    const line = document.createElement("li");
    line.textContent = `${file.name}: waiting`;
    $("#uploads").prepend(line);
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", file.name);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const template = $("#template").value;
      request.open("PUT", `/api/files/${encodeURIComponent(file.name.replaceAll("/", "_"))}${template ? `?template=${encodeURIComponent(template)}` : ""}`);
      request.upload.onprogress = (event) => { bar.max = event.total; bar.value = event.loaded; };
      request.onloadend = () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* not JSON */ }
        line.textContent = request.status === 201 ? uploadMessage(answer) : `${file.name}: refused: ${detail(answer) || "the connection was lost"}`;
        line.className = request.status === 201 ? "good" : "review";
        resolve(request.status === 201);
      };
      line.textContent = file.name;
      line.append(bar);
      request.send(file);
    });
  }
  async function sendAll(files) {
    const list = [...files], count = `${list.length} file${list.length === 1 ? "" : "s"}`;
    announce(`Sending ${count}`);
    let refused = 0;
    for (const file of list) if (!await send(file)) refused += 1;
    announce(refused ? `${refused} of ${count} refused, see below` : `${count} sent`);
  }
  // A dropped folder is an entry, which lists its files in several parts.
  async function filesOf(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader(), files = [];
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) return files;
      for (const child of entries) if (!child.name.startsWith(".")) files.push(...await filesOf(child));
    }
  }
  async function droppedFiles(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()), files = [...transfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return files;
    const collected = [];
    try { for (const entry of entries) if (entry) collected.push(...await filesOf(entry)); } catch { announce("The folder cannot be read."); }
    return collected;
  }
  if (drop) {
    $("#files").addEventListener("change", (event) => { sendAll(event.target.files); event.target.value = ""; });
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
    document.addEventListener("dragleave", () => drop.classList.remove("over"));
    document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) droppedFiles(event.dataTransfer).then(sendAll); });
  }
})();
