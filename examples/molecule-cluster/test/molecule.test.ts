import { moleculeScenario } from 'vitest-raspi'

// Two Pis, which Ansible knows by the platforms' names, in their groups.
moleculeScenario('molecule/default')
