// What the pages do better with a script. Every form works without it.
"use strict";
(() => {
  const body = document.body;

  // A form is sent once: its buttons rest until the answer comes.
  function rest(form, on) {
    for (const b of form.querySelectorAll("button")) b.disabled = on;
    const status = form.querySelector("[data-status]");
    if (status && form.dataset.busy) status.textContent = on ? form.dataset.busy : "";
    else if (on && form.dataset.busy) {
      const b = form.querySelector("button");
      b.dataset.said = b.textContent;
      b.textContent = form.dataset.busy;
    }
  }
  window.addEventListener("pageshow", (e) => {
    if (!e.persisted) return;
    for (const f of document.forms) {
      rest(f, false);
      const b = f.querySelector("button[data-said]");
      if (b) b.textContent = b.dataset.said;
    }
  });

  function tooLarge(form) {
    const input = form.querySelector('input[type="file"]');
    if (!input || !form.dataset.limit) return false;
    const file = input.files[0];
    const over = file && file.size > Number(form.dataset.limit);
    const status = form.querySelector("[data-status]");
    if (status) status.textContent = over ? form.dataset.toolarge : "";
    return over;
  }

  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (tooLarge(form)) {
      e.preventDefault();
      return;
    }
    if (form.hasAttribute("data-drop")) {
      e.preventDefault();
      check(form);
      return;
    }
    if (form.method === "post") setTimeout(() => rest(form, true), 0);
  });

  // Checking a file: the answer is the same page, of which the result is taken over.
  async function check(form) {
    const status = form.querySelector("[data-status]");
    const button = form.querySelector("button");
    button.disabled = true;
    const name = form.querySelector('input[type="file"]').files[0]?.name ?? "";
    status.textContent = name + " · " + form.dataset.working;
    document.getElementById("result").replaceChildren();
    document.getElementById("problem").replaceChildren();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      if (answer.redirected) { // the report has a page of its own
        location.assign(answer.url);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["problem", "result"]) {
        const fresh = page.getElementById(id);
        document.getElementById(id).replaceChildren(...(fresh ? fresh.childNodes : []));
      }
      mark(form, page);
      status.textContent = "";
      form.reset(); // so that choosing the same file again checks again
      const headline = document.getElementById("headline");
      if (headline) document.getElementById("result").focus();
    } catch {
      status.textContent = body.dataset.failed;
    }
    button.disabled = false;
  }

  // What is wrong with the file stands at its field, as on the page itself.
  function mark(form, page) {
    const input = form.querySelector('input[type="file"]');
    const fresh = page.querySelector('[data-drop] input[type="file"]');
    for (const name of ["aria-invalid", "aria-describedby"]) {
      if (fresh?.hasAttribute(name)) input.setAttribute(name, fresh.getAttribute(name));
      else input.removeAttribute(name);
    }
    form.querySelector(".field-error")?.remove();
    const said = page.querySelector("[data-drop] .field-error");
    if (said) input.closest(".choose").after(said);
  }

  for (const form of document.querySelectorAll("[data-drop]")) {
    const input = form.querySelector('input[type="file"]');
    for (const kind of ["dragenter", "dragover"]) {
      form.addEventListener(kind, (e) => {
        e.preventDefault();
        form.classList.add("over");
      });
    }
    form.addEventListener("dragleave", () => form.classList.remove("over"));
    form.addEventListener("drop", (e) => {
      e.preventDefault();
      form.classList.remove("over");
      if (e.dataTransfer.files.length === 0) return;
      input.files = e.dataTransfer.files;
      form.requestSubmit();
    });
    input.addEventListener("change", () => {
      if (input.files.length > 0) form.requestSubmit();
    });
  }

  // The words that a sender will read, as they are chosen.
  document.addEventListener("input", (e) => {
    const form = e.target.closest("[data-refusal]");
    if (!form) return;
    const chosen = form.querySelector('input[name="reason"]:checked');
    const note = form.querySelector("textarea").value.trim();
    const said = [chosen ? chosen.dataset.sent : "", note].filter(Boolean);
    form.querySelector("[data-preview]").textContent = said.join(". ");
  });

  // The divider between the version that was signed and the one of today.
  function wipe(slider) {
    const share = Number(slider.value);
    slider.closest(".paper").style.setProperty("--wipe", share + "%");
    const said = share === 0 ? slider.dataset.none : share === 100 ? slider.dataset.all : slider.dataset.says.replace("#", share);
    slider.setAttribute("aria-valuetext", said);
    const parts = slider.closest(".wipe");
    for (const b of parts.querySelectorAll("[data-wipe-to]")) b.setAttribute("aria-pressed", String(Number(b.dataset.wipeTo) === share));
    const shows = parts.querySelector("[data-wipe-shows]");
    shows.textContent = shows.dataset.says.replace("#", said);
  }
  document.addEventListener("input", (e) => {
    if (e.target.matches("[data-wipe]")) wipe(e.target);
  });
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-wipe-to]");
    if (!button) return;
    const slider = button.closest(".wipe").querySelector("[data-wipe]");
    slider.value = button.dataset.wipeTo;
    wipe(slider);
  });

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const words = button.parentElement.querySelector("code").textContent;
      try {
        await navigator.clipboard.writeText(words);
        button.textContent = button.dataset.copied;
      } catch {
        getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      }
    });
  }

  // What is under way looks again by itself: only parts that changed are replaced,
  // and never one in which someone is filling in a form.
  function busy(part) {
    return part.dataset.touched !== undefined ||
      part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, button");
  }
  document.addEventListener("input", (e) => {
    const part = e.target.closest("[data-live]");
    if (part && e.target.form) part.dataset.touched = ""; // what belongs to no form can be set again
  });
  const plain = (part) => part.innerHTML.replace(/name="key" value="[^"]*"| open=""| aria-(?:valuetext|pressed)="[^"]*"/g, "").replace(/(data-wipe-shows[^>]*>)[^<]*/g, "$1");
  function take(page) {
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const part = document.getElementById(fresh.id);
      if (!part || busy(part) || plain(part) === plain(fresh)) continue;
      const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
      const share = part.querySelector("[data-wipe]")?.value;
      part.replaceChildren(...fresh.childNodes);
      const slider = part.querySelector("[data-wipe]");
      if (slider && share) {
        slider.value = share;
        wipe(slider);
      }
      if (focus) document.getElementById(focus)?.focus();
    }
  }
  let wait = Number(body.dataset.poll);
  async function again() {
    if (!document.hidden) {
      try {
        const answer = await fetch(body.dataset.self, { cache: "no-store" });
        if (answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          take(page);
          wait = Number(page.body.dataset.poll || 0);
        }
      } catch {
        wait = Math.min(wait * 2, 60);
      }
    }
    if (wait) setTimeout(again, wait * 1000);
  }
  if (wait) setTimeout(again, wait * 1000);
})();
