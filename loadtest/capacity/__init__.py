"""How much hardware a load needs: a plan from measured figures, and the simulation that it rests on."""
