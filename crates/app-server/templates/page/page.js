// Keeps the page of an export up to date: whenever something moves, the server's own rendering of it is fetched again.
"use strict";

/** Milliseconds between two looks, at least; and between two where there are no events. */
const PAUSE = 500;
const WITHOUT_EVENTS = 5000;

function follow(section) {
  const live = section.querySelector(".live");
  const note = section.querySelector("[data-live]");
  let looking = false;
  let again = false;

  async function look() {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    try {
      const answer = await fetch(section.dataset.part, { headers: { accept: "text/html" } });
      if (answer.status >= 400 && answer.status < 500) {
        // It is over, or the session is.
        location.reload();
        return;
      }
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server cannot be reached now.
    }
    setTimeout(() => {
      looking = false;
      if (again) look();
    }, PAUSE);
  }

  function show(fresh) {
    const said = fresh.querySelector(".said").textContent;
    const before = live.querySelector(".said");
    // What is read out is changed only where it says something else.
    if (before.textContent !== said) before.textContent = said;
    live.querySelector(".detail").replaceWith(fresh.querySelector(".detail"));
  }

  const events = new EventSource(section.dataset.events);
  events.addEventListener("progress", look);
  events.addEventListener("state", () => {
    events.close();
    location.reload();
  });
  events.addEventListener("open", () => {
    if (note) note.hidden = false;
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setInterval(look, WITHOUT_EVENTS);
  });
}

for (const section of document.querySelectorAll("[data-events]")) follow(section);
