"use strict";
// The first screen, and where a page that is loaded anew goes on.
{
  const { content, sessions } = Pedalframe;
  const run = (session) => {
    sessions.setCurrent(session.session);
    return Pedalframe[session.test](session);
  };

  Pedalframe.start = async () => {
    sessions.setCurrent(null);
    const counts = Object.values(content.stimuli).map((stimuli) => stimuli.length);
    const items = counts.length;
    const screen = Pedalframe.show("start-screen", {
      ".trials": content.trials,
      ".stimuli": Math.max(...counts),
      ".items": items === 1 ? "one item" : `${items} items`,
    });
    screen.querySelector(".notes").append(
      ...content.notes.map((note) => Object.assign(document.createElement("p"), { textContent: note })),
    );
    const name = screen.querySelector(".name input");
    connectAbx(screen.querySelector(".abx"), name);
    const mushra = screen.querySelector("form.mushra");
    mushra.addEventListener("submit", (event) => {
      event.preventDefault();
      begin(sessions.begin("mushra", name.value.trim(), { items, ratings: [] }), mushra);
    });
    await Pedalframe.attempt(() => listSessions(screen));
  };

  function connectAbx(form, name) {
    const [a, b] = [form.querySelector(".a"), form.querySelector(".b")];
    for (const select of [a, b]) {
      select.append(...content.sides.map((side) => new Option(side.label, side.token)));
    }
    b.selectedIndex = 1;
    const check = () =>
      b.setCustomValidity(a.value === b.value ? "A and B must be different sounds." : "");
    for (const select of [a, b]) select.addEventListener("change", check);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { trials } = content;
      const rest = { a: a.value, b: b.value, trials, answers: [] };
      begin(sessions.begin("abx", name.value.trim(), rest), form);
    });
  }

  function begin(session, form) {
    Pedalframe.attempt(async () => {
      await sessions.save(session);
      await run(session);
    }, form.querySelector("button"));
  }

  async function listSessions(screen) {
    const section = screen.querySelector(".resumable");
    for (const id of sessions.ids()) {
      const session = await sessions.load(id);
      if (!session || !section.isConnected) continue;
      const line = document.getElementById("resumable-session").content.cloneNode(true);
      const isFinished = sessions.isFinished(session);
      const [done, all] =
        session.test === "abx"
          ? [session.answers.length, session.trials]
          : [session.ratings.length, session.items];
      line.querySelector(".what").textContent =
        `${session.test.toUpperCase()}${session.participant && `, ${session.participant}`}: ${
          isFinished ? "finished" : `${done} of ${all}`}`;
      const go = line.querySelector(".go");
      go.textContent = isFinished ? "Result" : "Continue";
      go.addEventListener("click", () => Pedalframe.attempt(() => run(session)));
      line.querySelector(".save").addEventListener("click", () => sessions.download(session));
      section.querySelector("ul").append(line);
      section.hidden = false;
    }
  }

  // What both result screens offer.
  Pedalframe.finish = (screen, session) => {
    screen.querySelector(".stored").textContent = sessions.hasServer()
      ? "Your answers are stored."
      : `Save your answers and give the file to whoever runs the test; there, make listen-import FILE=… GRID=${content.grid} reads it.`;
    screen.querySelector(".home").addEventListener("click", Pedalframe.start);
    screen.querySelector(".save").addEventListener("click", () => sessions.download(session));
  };

  (async () => {
    await Pedalframe.findServer();
    const id = sessions.current();
    let session = null;
    await Pedalframe.attempt(async () => {
      session = id && (await sessions.load(id));
    });
    if (session && !sessions.isFinished(session)) Pedalframe.attempt(() => run(session));
    else Pedalframe.start();
  })();
}
