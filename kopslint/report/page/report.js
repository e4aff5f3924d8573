"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const show = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = "Theme: " + theme;
  };
  let theme = "system";
  // A page that is opened from a disk may have nothing to remember it in.
  try { theme = localStorage.getItem("kopslint-theme") || theme; } catch { /* not kept */ }
  show(themes.includes(theme) ? theme : "system");
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = root.dataset.theme || "system";
    const next = themes[(themes.indexOf(now) + 1) % themes.length];
    show(next);
    try { localStorage.setItem("kopslint-theme", next); } catch { /* not kept */ }
  });

  const explorers = [];
  for (const place of document.querySelectorAll("[data-explorer]")) {
    const cards = [...place.querySelectorAll("[data-card]")];
    const slider = place.querySelector("input[type=range]");
    const spoken = place.querySelector("[data-spoken]");
    const pictures = [...place.querySelectorAll("svg[data-wide]")];
    const select = place.querySelector("[data-course]");
    const courses = [...place.querySelectorAll(".course")];
    let current = 0;
    const go = (wanted, aloud = true) => {
      current = Math.max(0, Math.min(cards.length - 1, wanted));
      cards.forEach((card, number) => { card.hidden = number !== current; });
      for (const picture of pictures) {
        const wide = Number(picture.dataset.wide);
        const names = Number(picture.dataset.left);
        const left = names + wide * current;
        const cursor = picture.querySelector(".k-cursor");
        cursor.setAttribute("x", left);
        cursor.setAttribute("visibility", "visible");
        const frame = picture.parentElement;
        if (left < frame.scrollLeft + names || left + wide > frame.scrollLeft + frame.clientWidth) {
          // In the middle of what the names, which stay where they are, leave free.
          frame.scrollLeft = left - names - (frame.clientWidth - names - wide) / 2;
        }
      }
      const card = cards[current];
      const states = [...card.querySelectorAll(".states li")].map((state) => state.textContent);
      const words = [card.querySelector("h3, h4").textContent, ...states].join(". ");
      if (slider) {
        slider.value = current;
        slider.setAttribute("aria-valuetext", words);
      }
      if (aloud && document.activeElement !== slider) spoken.textContent = words;
    };
    if (cards.length > 1) {
      place.querySelector("[data-controls]").hidden = false;
      slider.addEventListener("input", () => go(Number(slider.value)));
      place.querySelector("[data-back]").addEventListener("click", () => go(current - 1));
      place.querySelector("[data-forward]").addEventListener("click", () => go(current + 1));
      for (const hit of place.querySelectorAll("[data-moment].k-hit")) {
        hit.addEventListener("click", () => go(Number(hit.dataset.moment)));
      }
    }
    if (select) {
      const choose = () => {
        for (const course of courses) course.hidden = course.id !== select.value;
        const chosen = courses.find((course) => course.id === select.value);
        if (chosen && chosen.dataset.moment) go(Number(chosen.dataset.moment));
      };
      select.addEventListener("change", choose);
      choose();
    }
    const worst = [".lost", ":has(.told.error)", ".thin", ":has(.told.warning)"]
      .map((look) => cards.findIndex((card) => card.matches(look)))
      .find((number) => number >= 0);
    go(worst === undefined ? 0 : worst, false);
    explorers.push({ place, cards, go, move: (by) => go(current + by) });
  }

  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    for (const explorer of explorers) {
      const number = explorer.cards.findIndex((card) => card.id === id);
      if (number >= 0) {
        explorer.go(number);
        explorer.cards[number].scrollIntoView({ block: "nearest" });
      }
    }
  };
  addEventListener("hashchange", follow);
  follow();

  addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const busy = event.target.closest && event.target.closest("input, select, textarea, pre, .scroll, .lines");
    if (!by || busy || event.altKey || event.ctrlKey || event.metaKey || !explorers.length) return;
    const inside = explorers.find((explorer) => explorer.place.contains(event.target));
    (inside || explorers[0]).move(by);
    event.preventDefault();
  });

  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
