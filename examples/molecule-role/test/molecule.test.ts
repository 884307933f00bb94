import { moleculeScenario } from 'vitest-raspi'

// The scenario as Molecule runs it in Docker, on an emulated Pi.
moleculeScenario('molecule/default')
