// Keeps a waiting page current and a form from being sent twice. Every page works without it.
"use strict";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10000;
const SLOWER_BY = 1.3;
const LONG_AFTER_MS = 12000;
// After half an hour an e-mail or a reload tells the end; an open page costs nothing more.
const GIVE_UP_AFTER_MS = 30 * 60 * 1000;

function watch(section) {
  const started = Date.now();
  let wait = FIRST_WAIT_MS;

  async function look() {
    try {
      const answer = await fetch(section.dataset.poll, { cache: "no-store" });
      const { words } = answer.ok ? await answer.json() : {};
      if (words && words !== section.dataset.words) {
        location.reload();
        return;
      }
    } catch {
      // Offline for a moment: the next look will tell.
    }
    const age = Date.now() - started;
    const live = section.querySelector("[data-live]");
    if (age > LONG_AFTER_MS && live && !live.textContent) live.textContent = live.dataset.long;
    wait = Math.min(wait * SLOWER_BY, LONGEST_WAIT_MS);
    if (age < GIVE_UP_AFTER_MS) setTimeout(look, wait);
  }

  setTimeout(look, wait);
}

function sendOnce(form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    form.querySelector("button").setAttribute("aria-disabled", "true");
  });
  // A page that the Back button brings out of the browser's memory may be used again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent = false;
    form.querySelector("button").removeAttribute("aria-disabled");
  });
}

document.querySelectorAll("[data-poll]").forEach(watch);
document.querySelectorAll("form[data-once]").forEach(sendOnce);
document.querySelector("[role=alert]")?.focus();
