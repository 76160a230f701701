"""Blind listening tests: built from a study, taken in a browser, analysed from SQLite.

ABX (can a difference be heard?) and MUSHRA (how large is it?, ITU-R BS.1534-3). The page
is a folder of plain files that works with and without a server; what its tokens stand for
is in ``runs/<grid>/listening-key.json``, which the page cannot reach.

    runs/<grid>/listening/index.html      the page; opens from the file system too
    runs/<grid>/listening/<build>/*.js    its sounds, under random names
    runs/<grid>/listening-key.json        which sound is which
    runs/<grid>/listening.sqlite          the answers, with the key of every build they are to
"""
