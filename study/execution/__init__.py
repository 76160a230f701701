"""What runs where: a grid's runs given to worker processes, resumed, watched and estimated."""
