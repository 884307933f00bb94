import type { Command } from 'commander'
import type { CommandContext } from '../output.ts'
import { addMerge } from './merge.ts'

/** Adds `report` with its commands to `program`. */
export function addReport(program: Command, context: CommandContext): void {
  const report = program.command('report').description('see to the reports of runs')
  addMerge(report, context)
}
