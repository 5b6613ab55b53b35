// The page's buttons, keys and choices, and what it remembers of them.

const byId = (id) => document.getElementById(id);
const SAFARI_COMPOSES = 229; // its Enter that ends a syllable comes after the composition

// What the page remembers is a convenience: a browser that keeps nothing is fine.
export const memory = {
  get(name) {
    try {
      return localStorage.getItem(`voice.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`voice.${name}`, value);
    } catch {
      // nothing is lost but the convenience
    }
  },
};

// What the server has to work with, and how to talk to it from elsewhere.
export async function tellWhatRuns(page) {
  for (const place of document.querySelectorAll(".address")) place.textContent = location.origin;
  try {
    const answer = await fetch("about");
    if (!answer.ok) throw new Error(String(answer.status));
    const about = await answer.json();
    byId("running").textContent = `${about.engine} ${about.version}`;
    byId("local").hidden = about.engine !== "local";
    for (const [name, text] of Object.entries(about.found)) {
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      term.textContent = name;
      meaning.textContent = text;
      byId("found").append(term, meaning);
    }
  } catch {
    page.view.notice("aboutFails", {}, { remedy: () => location.reload() });
  }
}

// Buttons, keys and choices.
export function listen(page) {
  choices(page);
  const text = byId("text");
  const fit = () => {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  };
  byId("talk").addEventListener("click", () => page.talk());
  byId("mute").addEventListener("click", () => page.mute());
  byId("stop").addEventListener("click", () => page.interrupt());
  byId("dismiss").addEventListener("click", () => page.view.dismiss());
  byId("info").addEventListener("click", () => byId("about").showModal());
  text.addEventListener("input", fit);
  text.addEventListener("keydown", (event) => {
    // While Hangul is being composed Enter ends the syllable, not the message.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === SAFARI_COMPOSES) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (page.say(text.value)) text.value = "";
    fit();
    text.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("about").open && !byId("stop").disabled) page.interrupt();
  });
  for (const example of document.querySelectorAll("#examples button")) example.addEventListener("click", () => page.say(example.textContent));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && page.sound.listening) page.stayAwake();
  });
}

function choices(page) {
  const language = byId("language");
  const cleaning = byId("cleaning");
  language.value = page.view.language;
  cleaning.checked = memory.get("cleaning") !== "off";
  language.addEventListener("change", () => {
    memory.set("language", language.value);
    page.view.speak(language.value);
  });
  cleaning.addEventListener("change", () => memory.set("cleaning", cleaning.checked ? "on" : "off"));
}
