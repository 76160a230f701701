"""A trained model in the file formats of hosts that guitarists have: README.md tells of each."""
