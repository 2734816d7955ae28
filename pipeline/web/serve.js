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
    document.dispatchEvent(new Event("refreshed"));
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
  document.addEventListener("changed", () => refresh(location.pathname + location.search, "progress", "results"));

  // ---- files ------------------------------------------------------------------------------------
  const drop = $("#drop");
  function uploadMessage(answer) {
    return answer.already ? `${answer.file}: these contents are in the inbox already` : `${answer.file}: in the inbox`;
  }
  /** What to do about a file that was refused. */
  function remedy(status) {
    if (status === 0) return "the connection was lost";
    if (status === 413) return `it is too large: split it, or raise limits.megabytes in the settings`;
    if (status === 408) return "the connection is too slow: copy the file into the inbox";
    if (status === 503) return "free disk space, or check who may write to the inbox";
    return "";
  }
  /** Sends one file; ``folder`` is its folder below the inbox. */
  function send(file, folder, line) {
    const path = folder ? `${folder}/${file.name}` : file.name;
    line.className = "";
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", path);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const query = new URLSearchParams({ template: $("#template").value, folder });
      request.open("PUT", `/api/files/${encodeURIComponent(file.name.replaceAll("/", "_"))}?${query}`);
      request.upload.onprogress = (event) => { bar.max = event.total; bar.value = event.loaded; };
      request.onloadend = () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* not JSON */ }
        const done = request.status === 201;
        const reasons = [request.status ? detail(answer) : "", remedy(request.status)].filter(Boolean).join("; ");
        line.textContent = done ? uploadMessage(answer) : `${path}: refused: ${reasons || `status ${request.status}`} `;
        line.className = done ? "good" : "review";
        if (!done && [0, 408, 503].includes(request.status)) {
          const again = document.createElement("button");
          again.type = "button";
          again.className = "plain";
          again.textContent = "Try again";
          again.addEventListener("click", () => send(file, folder, line));
          line.append(again);
        }
        resolve(done);
      };
      line.textContent = path;
      line.append(bar);
      request.send(file);
    });
  }
  async function sendAll(files) {
    const list = [...files], count = `${list.length} file${list.length === 1 ? "" : "s"}`;
    announce(`Sending ${count}`);
    const lines = list.map(({ file, folder }) => {
      const line = document.createElement("li");
      line.textContent = `${folder ? `${folder}/` : ""}${file.name}: waiting`;
      return line;
    });
    $("#uploads").prepend(...lines);
    let refused = 0;
    for (const [at, { file, folder }] of list.entries()) {
      if (!await send(file, folder, lines[at])) refused += 1;
      announce(`${at + 1} of ${count} sent`);
    }
    announce(refused ? `${refused} of ${count} refused, see below` : `${count} sent`);
  }
  const folderOf = (path) => path.split("/").slice(0, -1).filter(Boolean).join("/");
  const withFolders = (files) => [...files].map((file) => ({ file, folder: folderOf(file.webkitRelativePath || "") }));
  // A dropped folder is an entry, which lists its files in several parts.
  async function filesOf(entry) {
    if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), folder: folderOf(entry.fullPath) }];
    const reader = entry.createReader(), files = [];
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) return files;
      for (const child of entries) if (!child.name.startsWith(".")) files.push(...await filesOf(child));
    }
  }
  async function droppedFiles(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()), files = withFolders(transfer.files);
    if (!entries.some((entry) => entry?.isDirectory)) return files;
    const collected = [];
    try { for (const entry of entries) if (entry) collected.push(...await filesOf(entry)); } catch { announce("The folder cannot be read."); }
    return collected;
  }
  if (drop) {
    for (const input of [$("#files"), $("#folder")]) input.addEventListener("change", (event) => { sendAll(withFolders(event.target.files)); event.target.value = ""; });
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
    document.addEventListener("dragleave", () => drop.classList.remove("over"));
    document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) droppedFiles(event.dataTransfer).then(sendAll); });
  }
})();
