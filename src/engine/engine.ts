import type { Booted } from '../freeze/freeze.ts'
import type { FreezeKey, FrozenPi, Manifest } from '../freeze/store.ts'
import type { Image } from '../image/image.ts'
import type { Reference } from '../image/reference.ts'
import type { Board } from '../machine/boards.ts'
import type { Place } from '../machine/place.ts'

/** What a Pi is made of. */
export interface PiSource {
  image: Image
  board: Board
  /** Absent where this image cannot be frozen here; its Pis boot cold then. */
  frozen?: FrozenPi | undefined
}

/** A frozen Pi that is to be made. */
export interface FrozenPlan {
  about: Omit<Manifest, 'files' | keyof Booted>
  image: Image
  board: Board
  /** What the image is asked for as. @default nothing, of a layer */
  reference?: Reference | undefined
  /** Of a layer: the Pi that is to be frozen, which has shut down, and the frozen one that its card lies on. */
  of?: { place: Place; card: string; parent: FrozenPi } | undefined
  /** See {@link import('../freeze/freeze.ts').FreezeSubject.mustBeWarm}. */
  mustBeWarm: boolean
}

/** Where a Pi is frozen: a place with its card in `dir`, to which RAM and state are written. */
export interface Workshop {
  place: Place
  /** Of the place: where the files of the frozen Pi are to be, its card is already. */
  dir: string
  /** Gives what was frozen as one that Pis can be thawed from to try it, before it counts. */
  seal(booted: Booted): Promise<FrozenPi>
  /** Lets it count from now on. */
  keep(frozen: FrozenPi): Promise<FrozenPi>
  /** Removes what is left of the work. */
  close(): Promise<void>
}

/** What runs Pis, and keeps frozen ones: this host, or a Docker engine. */
export interface Engine {
  /** As `qemu-system-aarch64 --version` tells it: `7.2.22`. A frozen Pi thaws on the QEMU it was frozen on. */
  readonly qemuVersion: string
  /** Whether Pis run on this host: with its QEMU, and by its KVM where it has that. */
  readonly isHere: boolean
  /** How often a part of it was lost, with what that had: what was found before may have to be made again. @default 0 */
  readonly losses?: number
  /** What Pis of the image that `reference` means are made of on `board`, where the engine was given that; else nothing. */
  given(reference: Reference, board: Board): Promise<PiSource | undefined>
  /**
   * Opens a place for a Pi of `source`; `dir` of this host is for what is known of it. `signal` aborts when nobody wants the Pi
   * any more.
   */
  open(source: PiSource, dir: string, signal: AbortSignal): Promise<Place>
  /**
   * The frozen Pi of this id, for layers the one that lies on `parent`; nothing where there is none, and a sentence that
   * says what is wrong where it is damaged.
   */
  find(id: string, image: Image, board: Board, parent?: string): Promise<FrozenPi | string | undefined>
  /** The other QEMU versions, if any, on which frozen Pis were made that but for them would be the one of `key`. */
  others(key: FreezeKey): Promise<string[]>
  /** Prepares to make one; `machineDir` of this host is for what is known of its machine. */
  workshop(plan: FrozenPlan, machineDir: string): Promise<Workshop>
}
