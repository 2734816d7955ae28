// Lays out the documents of a page load: fits wide tables, breaks long documents into pages, reports where the marks stand.
(() => {
  const bottom = (element) => element.getBoundingClientRect().bottom;

  // Makes the letters of a wide element smaller until it fits.
  function fit(element) {
    let size = parseFloat(getComputedStyle(element).fontSize);
    const room = element.parentElement;
    for (let at = 0; at < 14 && element.offsetWidth > room.clientWidth + 1 && size > 6.5; at++) {
      size *= 0.92;
      element.style.fontSize = size + "px";
      if (at > 4) element.querySelectorAll("td,th").forEach((cell) => { cell.style.whiteSpace = "normal"; });
    }
  }

  // A following page of the same document, without what stands at the head of the first.
  function followingPage(page) {
    const next = page.cloneNode(true);
    const flow = next.querySelector(".flow");
    flow.replaceChildren();
    if (flow.dataset.again) flow.insertAdjacentHTML("beforeend", flow.dataset.again);
    next.querySelectorAll(".side > *").forEach((child) => child.remove());
    page.after(next);
    return next;
  }

  function moveRows(items, flow, limit) {
    const rows = [...items.querySelectorAll("[data-row]")];
    let first = rows.findIndex((row) => bottom(row) > limit - (items.dataset.carryLabel ? 26 : 6));
    if (first < 0) return null;
    if (first < 1) return { whole: true };
    const rest = items.cloneNode(true);
    const body = rest.querySelector("tbody") || rest;
    body.replaceChildren();
    const carry = items.dataset.carryLabel ? carryRow(items, rows[first - 1]) : null;
    rows.slice(first).forEach((row) => body.append(row));
    if (carry) {
      rows[first - 1].after(carry);
      body.prepend(carry.cloneNode(true));
    }
    return { rest };
  }

  function carryRow(items, last) {
    if (!last.dataset.carry || items.tagName !== "TABLE") return null;
    const row = document.createElement("tr");
    row.innerHTML = `<td colspan="${Math.max(1, items.dataset.columns - 1)}" style="text-align:right;padding:2px 6px">${items.dataset.carryLabel}</td>` +
      `<td style="text-align:right;padding:2px 4px;white-space:nowrap">${last.dataset.carry}</td>`;
    return row;
  }

  function paginate(first) {
    let page = first;
    for (let guard = 0; guard < 12; guard++) {
      const flow = page.querySelector(".flow");
      const limit = bottom(flow) + 0.5;
      const blocks = [...flow.children];
      const over = blocks.findIndex((block, at) => bottom(block) > limit || (at > 0 && block.classList.contains("newpage")));
      if (over < 0) return;
      const block = blocks[over];
      const begins = over > 0 && block.classList.contains("newpage");
      block.classList.remove("newpage");
      const moved = block.classList.contains("items") && !begins ? moveRows(block, flow, limit) : { whole: true };
      if (moved === null) return;
      if (moved.whole && over === 0) {  // larger than a page: the letters become smaller
        const size = parseFloat(getComputedStyle(block).fontSize);
        block.style.fontSize = size * 0.85 + "px";
        continue;
      }
      const next = followingPage(page);
      const target = next.querySelector(".flow");
      if (moved.rest) target.append(moved.rest);
      blocks.slice(moved.whole ? over : over + 1).forEach((child) => target.append(child));
      page = next;
    }
  }

  function lines(element) {
    const boxes = [];
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.data.trim()) continue;
      range.selectNodeContents(node);
      for (const r of range.getClientRects()) {
        if (r.width < 0.5) continue;
        const last = boxes[boxes.length - 1];
        if (last && Math.abs((last[1] + last[3]) / 2 - (r.top + r.bottom) / 2) < r.height * 0.6 && r.left >= last[0] - 1) {
          boxes[boxes.length - 1] = [last[0], Math.min(last[1], r.top), Math.max(last[2], r.right), Math.max(last[3], r.bottom)];
        } else boxes.push([r.left, r.top, r.right, r.bottom]);
      }
    }
    return boxes;
  }

  function whole(boxes) {
    return boxes.length ? [Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])), Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3]))] : null;
  }

  // Every mark of a page, as [kind, name, text, boxes].
  function marks(page) {
    const origin = page.getBoundingClientRect();
    const move = (b) => [b[0] - origin.left, b[1] - origin.top, b[2] - origin.left, b[3] - origin.top];
    const found = [];
    for (const kind of ["f", "i", "h", "l", "a"]) {
      page.querySelectorAll(`[data-${kind}]`).forEach((element) => {
        const boxes = lines(element).map(move);
        if (boxes.length) found.push([kind, element.dataset[kind], element.textContent, boxes]);
      });
    }
    page.querySelectorAll("[data-p]").forEach((element) => {
      const r = element.getBoundingClientRect();
      found.push(["p", element.dataset.p, "", [move([r.left, r.top, r.right, r.bottom])]]);
    });
    page.querySelectorAll("[data-b]").forEach((element) => {
      let parts = [element];
      if (element.classList.contains("items")) parts = [...element.querySelectorAll("thead,[data-row]:not(.foot)")];
      const box = whole(parts.flatMap((part) => lines(part)));
      if (box) found.push(["b", element.dataset.b, "", [move(box)]]);
    });
    const clipped = found.some(([, , , boxes]) => boxes.some((b) => b[0] < -0.5 || b[1] < -0.5 || b[2] > origin.width + 0.5 || b[3] > origin.height + 0.5));
    const feet = page.querySelector(".foot");
    const over = page.querySelector(".flow") && feet && [...page.querySelector(".flow").children].some((block) => bottom(block) > bottom(page.querySelector(".flow")) + 3);
    return { width: origin.width, height: origin.height, marks: found, clipped: Boolean(clipped || over) };
  }

  window.layOut = () => {
    const documents = [...document.querySelectorAll(".doc")];
    const rules = [];
    const result = documents.map((doc, number) => {
      doc.querySelectorAll(".fit").forEach(fit);
      doc.querySelectorAll(".page").forEach((page) => { if (page.querySelector(".flow")) paginate(page); });
      const pages = [...doc.querySelectorAll(".page")];
      pages.forEach((page, at) => {
        page.querySelectorAll("[data-page]").forEach((place) => {
          place.textContent = place.dataset.page.replace("{page}", at + 1).replace("{pages}", pages.length);
        });
        const size = page.getBoundingClientRect();
        const height = Math.ceil(size.height);
        page.style.height = height + "px";
        page.style.page = `p${number}x${at}`;
        rules.push(`@page p${number}x${at} { size: ${Math.ceil(size.width)}px ${height}px; margin: 0 }`);
      });
      return pages.map(marks);
    });
    const sheet = document.createElement("style");
    sheet.textContent = rules.join("\n");
    document.head.append(sheet);
    return result;
  };
})();
