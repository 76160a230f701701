"use strict";
// Sessions: kept in this browser, and by the server where there is one. A session is its seed
// and its answers; the format is checked by sessions.py.
{
  const { build } = Pedalframe.content;
  const place = (name) => `pedalframe/${build}/${name}`;

  function remembered(name, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(place(name))) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  function remember(name, value) {
    localStorage.setItem(place(name), JSON.stringify(value));
  }

  let hasServer = false;

  // A page of any web server but ours keeps its answers as one from the file system does.
  Pedalframe.findServer = async () => {
    if (!location.protocol.startsWith("http")) return;
    try {
      const reply = await fetch("api/build");
      hasServer = reply.ok && (await reply.json()).build === build;
    } catch {
      hasServer = false;
    }
  };

  async function asked(path, options) {
    let reply;
    try {
      reply = await fetch(`api/sessions/${path}`, options);
    } catch {
      throw new Error("The server cannot be reached. Nothing is lost: try again when it runs.");
    }
    const value = await reply.json();
    if (!reply.ok) throw new Error(value.error);
    return value;
  }

  Pedalframe.sessions = {
    hasServer: () => hasServer,

    // Ids of this browser's sessions, newest first.
    ids: () => remembered("sessions", []),

    current: () => remembered("current", null),

    setCurrent: (id) => remember("current", id),

    async load(id) {
      return hasServer ? asked(id) : remembered(`session/${id}`, null);
    },

    async save(session) {
      if (hasServer) {
        await asked(session.session, {
          method: "PUT",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(session),
        });
      } else {
        remember(`session/${session.session}`, session);
      }
      const others = this.ids().filter((id) => id !== session.session);
      remember("sessions", [session.session, ...others]);
    },

    results: (id) => asked(`${id}/results`),

    // Scores that are set but not confirmed, of one item of one session.
    draft(session, item) {
      const draft = remembered("draft", {});
      return draft.session === session && draft.item === item ? draft.scores : {};
    },

    setDraft: (session, item, scores) => remember("draft", { session, item, scores }),

    // Hand the answers to the listener as a file.
    download(session) {
      const link = document.createElement("a");
      const file = new Blob([JSON.stringify(session, null, 2)], { type: "application/json" });
      link.href = URL.createObjectURL(file);
      link.download = `pedalframe-${session.test}-${session.session.slice(0, 8)}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },

    begin(test, participant, rest) {
      return {
        version: 1,
        test,
        build,
        session: Pedalframe.newToken(),
        seed: Pedalframe.newToken(),
        participant,
        started: new Date().toISOString(),
        ...rest,
      };
    },

    isFinished: (session) =>
      session.test === "abx"
        ? session.answers.length === session.trials
        : session.ratings.length === session.items,
  };
}
