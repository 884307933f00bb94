import * as z from 'zod'
import { vaultShape } from '../ansible/vault.ts'
import { boardSchema } from '../board-option.ts'
import type { ImageOption } from '../image-option.ts'
import { environment, optionObject, texts, variables } from '../option-objects.ts'
import type { PrepareOption } from '../prepare/options.ts'

const hostSchema = optionObject({
  /** The inventory's groups it is in. */
  groups: z.array(z.string()).optional(),
  /** Variables of this host. */
  vars: variables.optional(),
  networks: z.array(z.string()).readonly().optional(),
  /**
   * `'enrolled'`: a node that is known and nothing more, off and with nothing on its card, until `pi.provision` makes
   * something of it; `power` is about the others. @default 'active'
   */
  state: z.enum(['active', 'enrolled']).optional(),
  /** Whether it has a BMC, which switches its power by IPMI: `pi.bmc`. Needs openipmi's ipmi_sim. @default false */
  bmc: z.boolean().optional(),
  /** Whether the test gets it switched on, or has to do that itself. @default 'on' */
  power: z.enum(['on', 'off']).optional(),
})

/** What a Pi of `raspiTest({ hosts })` is like. */
export interface HostOptions<Network extends string = string>
  extends Omit<z.input<typeof hostSchema>, 'networks'> {
  /**
   * The networks it is on, in the order of its NICs: `eth1` is on the first. It has an address on each, and reaches the
   * other Pis there by their names. @default none
   */
  networks?: readonly Network[]
}

const networkSchema = optionObject({
  /** Whether Pis have an address on it from the start; else they ask whoever serves DHCP there. @default true */
  addresses: z.boolean().optional(),
  /**
   * Whether they get that address by DHCP, from a dnsmasq that the lab has there. Needs dnsmasq, and a host that lets us
   * make a network namespace with a tap. @default false
   */
  dhcp: z.boolean().optional(),
})

/** What a network of `raspiTest({ networks })` is like. */
export type NetworkOptions = z.input<typeof networkSchema>

const ansibleSchema = optionObject({
  ...vaultShape,
  /** Installs the roles and collections of this file, or with `true` of all usual ones, for the time of the run. */
  requirements: z
    .union([z.literal(true), z.string()], { error: 'expected true, or the path of a file' })
    .optional(),
  /** Environment variables besides those of the process. */
  env: environment.optional(),
})

/** How Ansible runs in all tests of a `raspiTest`, where a call does not say otherwise. */
export type AnsibleOptions = z.input<typeof ansibleSchema>

const commonSchema = optionObject({
  /** Whether each test has fresh Pis, or the tests of a file share theirs. @default 'test' */
  scope: z.enum(['test', 'file']).optional(),
  /** Another image than the plugin's. */
  image: z.custom<ImageOption>().optional(),
  /** Another board than the plugin's. */
  board: boardSchema.optional(),
  /** How Ansible runs, where a call does not say otherwise. */
  ansible: ansibleSchema.optional(),
  /**
   * Whether the Pis get to this machine and the world. Without, only ssh comes in. @default true, but false in tests with
   * the tag `hermetic`
   */
  internet: z.boolean().optional(),
})

/** What all tests made by `raspiTest` can be told. */
export type CommonTestOptions = z.input<typeof commonSchema>

const hostsSchema = optionObject({
  hosts: z.record(z.string(), hostSchema).optional(),
  networks: z.record(z.string(), networkSchema.optional()).optional(),
  /** What random faults of the networks depend on: with the same seed the same frames are lost. @default 'vitest-raspi' */
  seed: z.union([z.string(), z.number()], { error: 'expected a text, or a number' }).optional(),
  /**
   * A playbook, or several in their order, that prepare the Pis: run once, on all of `hosts` together, and frozen. Every
   * test starts from there, in this run and in later ones, until something that a playbook reads has changed. Where one
   * fails, the tests fail with it.
   */
  prepare: z.custom<PrepareOption>().optional(),
})

/** What the tests made by `raspiTest` get. */
export interface RaspiTestOptions<Host extends string = string, Net extends string = string>
  extends CommonTestOptions,
    Omit<z.input<typeof hostsSchema>, 'hosts' | 'networks'> {
  /** The Pis by their names in the inventory. @default `{ pi: {} }` */
  hosts?: Record<Host, HostOptions<Net>>
  /** What is to be said of networks that `hosts` names. The order of all is that in which they are named first. */
  networks?: Partial<Record<NoInfer<Net>, NetworkOptions>>
}

const inventorySchema = optionObject({
  /**
   * The inventory: a file, a directory, a script, a plugin's configuration, or several of them; relative to the project.
   * Each of its hosts is a Pi. Groups and variables are kept, addresses, users, ports and keys are the Pis'.
   */
  inventory: texts,
  /** Only these hosts have a Pi: Ansible's patterns. The others are out of reach. @default all */
  limit: texts.optional(),
  /** Whether hosts with `ansible_connection: local` work on this machine, without a Pi; else they are refused. @default false */
  allowLocal: z.boolean().optional(),
})

/** What the tests made by `raspiTest` get, with an inventory of the user's own. */
export interface InventoryTestOptions extends CommonTestOptions, z.input<typeof inventorySchema> {}

/** Every option of `raspiTest`. What contradicts each other, images and preparations are checked where they are understood. */
export const testShape = {
  ...commonSchema.shape,
  ...hostsSchema.shape,
  ...inventorySchema.partial().shape,
}

/** Options of `raspiTest`, with a list of hosts or with an inventory. */
export const testSchema = optionObject(testShape)
