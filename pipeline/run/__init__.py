"""The one loop: plan the units, ask the engine, check each answer, commit it, publish the documents that are complete."""
