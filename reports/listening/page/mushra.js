"use strict";
// MUSHRA after ITU-R BS.1534-3: an open reference, and sounds to rate in a blind order.
{
  const { content, sessions } = Pedalframe;
  const WORDS = ["Bad", "Poor", "Fair", "Good", "Excellent"];
  const LETTERS = "ABCDEFGHIJKLMNOPQ";
  const BIG_STEP = 10;

  const word = (score) => WORDS[Math.min(4, Math.floor(score / 20))];

  Pedalframe.mushra = async (session) => {
    if (sessions.isFinished(session)) return showResult(session);
    const number = session.ratings.length;
    const trial = Pedalframe.mushraTrials(session.seed, content.stimuli)[number];
    const screen = Pedalframe.show("mushra-screen", {
      ".count": `Item ${number + 1} of ${session.items}`,
      ".item": content.items[trial.item].name,
    });
    const progress = screen.querySelector("progress");
    [progress.max, progress.value] = [session.items, number];
    progress.setAttribute("aria-label", `${number} of ${session.items} items rated`);

    const scores = sessions.draft(session.session, trial.item);
    const rows = trial.stimuli.map((stimulus, index) => rowOf(stimulus, LETTERS[index]));
    screen.querySelector(".rows").append(...rows.map((row) => row.element));
    const reference = screen.querySelector('[data-sound="reference"]');
    const tokens = { reference: content.references[trial.item] };
    const buttons = { reference };
    for (const row of rows) {
      tokens[row.letter] = row.stimulus;
      buttons[row.letter] = row.button;
    }

    let player = null;
    let heard = "reference";
    function select(name) {
      if (name === heard) return;
      heard = name;
      player?.select(name);
    }

    function rowOf(stimulus, letter) {
      const element = document.getElementById("mushra-row").content.cloneNode(true).firstElementChild;
      const [button, slider, output] = element.children;
      button.textContent = letter;
      button.setAttribute("aria-label", `Sound ${letter}`);
      button.setAttribute("aria-keyshortcuts", letter);
      slider.setAttribute("aria-label", `Score of sound ${letter}`);
      function show() {
        const score = scores[stimulus];
        const isRated = score !== undefined;
        element.classList.toggle("unrated", !isRated);
        output.textContent = isRated ? score : "–";
        slider.setAttribute("aria-valuetext", isRated ? `${score}, ${word(score)}` : "not rated");
        if (isRated) slider.value = score;
      }
      function rate() {
        scores[stimulus] = Number(slider.value);
        sessions.setDraft(session.session, trial.item, scores);
        show();
      }
      slider.addEventListener("input", rate);
      slider.addEventListener("pointerup", rate); // where the thumb stays where it was
      slider.addEventListener("focus", () => select(letter));
      button.addEventListener("click", () => {
        heard = letter;
      });
      show();
      return { element, stimulus, letter, button, slider, rate };
    }
    reference.addEventListener("click", () => {
      heard = "reference";
    });

    const form = screen.querySelector("form");
    const hint = screen.querySelector(".hint");
    let isReminded = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const missing = rows.filter((row) => scores[row.stimulus] === undefined);
      if (missing.length) {
        hint.textContent = `Not rated yet: ${missing.map((row) => row.letter).join(", ")}.`;
        return;
      }
      if (!isReminded && Math.max(...Object.values(scores)) < 100) {
        isReminded = true;
        hint.textContent =
          "One of these sounds is the reference itself and deserves 100. Listen once more, or press Next again to leave it so.";
        return;
      }
      const rating = { item: trial.item, scores };
      const next = { ...session, ratings: [...session.ratings, rating] };
      Pedalframe.attempt(async () => {
        await sessions.save(next);
        await Pedalframe.mushra(next);
      }, form.querySelector(".next"));
    });
    screen.querySelector(".stop").addEventListener("click", Pedalframe.start);

    player = await Pedalframe.player(tokens, buttons);
    if (!player) return;
    player.select(heard);
    Pedalframe.takeKeys((key, target) => {
      const row = rows.find((own, index) => key.toUpperCase() === own.letter || key === String(index + 1));
      if (row) {
        row.slider.focus();
        select(row.letter);
      } else if (key === "0" || key.toLowerCase() === "r") {
        screen.focus({ preventScroll: true });
        select("reference");
      } else if (key === "Enter") form.requestSubmit();
      else return moved(rows.find((own) => own.letter === heard), key, target);
      return true;
    });
  };

  // Move the slider of the sound that is heard; a slider in focus moves by itself.
  function moved(row, key, target) {
    const steps = {
      ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1,
      PageDown: -BIG_STEP, PageUp: BIG_STEP,
    };
    if (!row || !(key in steps) || (target.matches('input[type="range"]') && !key.startsWith("Page"))) {
      return false;
    }
    row.slider.value = Number(row.slider.value) + steps[key];
    row.rate();
    return true;
  }

  async function showResult(session) {
    sessions.setCurrent(null);
    const screen = Pedalframe.show("mushra-result", { ".verdict": "Thank you. All items are rated." });
    Pedalframe.finish(screen, session);
    if (!sessions.hasServer()) return;
    const { conditions } = await sessions.results(session.session);
    const table = screen.querySelector("table");
    if (!table) return;
    for (const { label, scores } of conditions) {
      const row = table.tBodies[0].insertRow();
      const heading = document.createElement("th");
      heading.scope = "row";
      heading.textContent = label;
      row.append(heading);
      row.insertCell().textContent = `${scores.join(", ")} (median ${Pedalframe.median(scores)})`;
    }
    table.hidden = false;
  }
}
