"use strict";
// ABX: fixed trials, final answers, no feedback before the end.
{
  const { content, sessions } = Pedalframe;
  const KEYS = { a: "a", b: "b", x: "x", 1: "a", 2: "b", 3: "x" };
  const ANSWER_KEYS = { ArrowLeft: "a", ArrowRight: "b" };

  const nameOf = (token) => content.sides.find((side) => side.token === token).label;

  const trialsOf = (session) =>
    Pedalframe.abxTrials(session.seed, session.trials, Object.keys(content.items).sort());

  Pedalframe.abx = async (session) => {
    if (sessions.isFinished(session)) return showResult(session);
    const number = session.answers.length;
    const trial = trialsOf(session)[number];
    const screen = Pedalframe.show("abx-screen", {
      ".count": `Trial ${number + 1} of ${session.trials}`,
      ".item": content.items[trial.item].name,
      ".name-a": nameOf(session.a),
      ".name-b": nameOf(session.b),
    });
    const progress = screen.querySelector("progress");
    [progress.max, progress.value] = [session.trials, number];
    progress.setAttribute("aria-label", `${number} of ${session.trials} trials answered`);

    const files = content.abx[trial.item];
    const tokens = { a: files[session.a], b: files[session.b] };
    tokens.x = tokens[trial.x];
    const buttons = Object.fromEntries(
      [...screen.querySelectorAll("[data-sound]")].map((button) => [button.dataset.sound, button]),
    );
    const form = screen.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = form.elements.answer.value;
      if (!answer) {
        screen.querySelector(".hint").textContent = "Choose “X is A” or “X is B” first.";
        return;
      }
      const next = { ...session, answers: [...session.answers, answer] };
      Pedalframe.attempt(async () => {
        await sessions.save(next);
        await Pedalframe.abx(next);
      }, form.querySelector(".next"));
    });
    screen.querySelector(".stop").addEventListener("click", Pedalframe.start);

    const player = await Pedalframe.player(tokens, buttons);
    if (!player) return;
    Pedalframe.takeKeys((key) => {
      const sound = KEYS[key.toLowerCase()];
      const answer = ANSWER_KEYS[key];
      if (sound) player.select(sound);
      else if (answer) form.elements.answer.value = answer;
      else if (key === "Enter") form.requestSubmit();
      else return false;
      return true;
    });
  };

  function showResult(session) {
    sessions.setCurrent(null);
    const truth = trialsOf(session);
    const correct = session.answers.filter((answer, number) => answer === truth[number].x).length;
    const p = Pedalframe.guessing(correct, session.trials);
    const screen = Pedalframe.show("abx-result", {
      ".verdict": `${correct} of ${session.trials} right. By guessing, as many or more come with a probability of ${p.toPrecision(2)}.`,
      ".details": `${nameOf(session.a)} against ${nameOf(session.b)}. ${
        p < 0.05
          ? "You heard the difference: guessing would hardly do as well."
          : "That can be luck. It does not show that the difference cannot be heard."
      }`,
    });
    Pedalframe.finish(screen, session);
  }
}
