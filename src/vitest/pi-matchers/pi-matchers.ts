import { type AptSourceExpectation, toHaveAptSource } from './apt.ts'
import { type BootConfigExpectation, toHaveBootConfig } from './boot-config.ts'
import { type CronJobExpectation, toHaveCronJob } from './cron.ts'
import { type FileExpectation, toHaveFile } from './file.ts'
import { type GpioExpectation, toHaveGpio } from './gpio.ts'
import { type HttpExpectation, toAnswerHttp } from './http.ts'
import { type LocaleExpectation, toHaveHostname, toHaveLocale, toHaveTimezone } from './identity.ts'
import { type JournalOptions, toHaveCleanJournal } from './journal.ts'
import {
  type KernelModuleExpectation,
  type KernelParameterExpectation,
  toHaveKernelModule,
  toHaveKernelParameter,
  toHaveSysctl,
} from './kernel.ts'
import { type MountExpectation, toHaveMount } from './mount.ts'
import { type PackageExpectation, toHavePackage } from './package.ts'
import { type ListenExpectation, toListenOn } from './port.ts'
import {
  type FailedUnitsOptions,
  type ServiceExpectation,
  type TimerExpectation,
  toHaveNoFailedUnits,
  toHaveService,
  toHaveTimer,
} from './service.ts'
import { type GroupExpectation, toHaveGroup, toHaveUser, type UserExpectation } from './user.ts'
import type { Pattern } from './verdict.ts'

/** The matchers on a Pi, for `expect.extend`. */
export const piMatchers = {
  toHaveFile,
  toHaveService,
  toHavePackage,
  toListenOn,
  toHaveUser,
  toHaveGroup,
  toHaveMount,
  toHaveKernelModule,
  toHaveKernelParameter,
  toHaveSysctl,
  toHaveBootConfig,
  toHaveCronJob,
  toHaveTimer,
  toHaveHostname,
  toHaveTimezone,
  toHaveLocale,
  toHaveAptSource,
  toHaveNoFailedUnits,
  toHaveCleanJournal,
  toAnswerHttp,
  toHaveGpio,
}

/**
 * What `expect(pi)` can be asked. Each looks at the running Pi, so each must be awaited; those that start together,
 * as in `await Promise.all([…])`, share one round trip. Of several properties all must hold, negated not all.
 */
export interface PiMatchers<R = void> {
  /**
   * The Pi has a file, a directory or a link at `path`. Mode, owner, group and content are those of what a link leads to.
   * @example await expect(pi).toHaveFile('/etc/nginx/nginx.conf', { mode: '0644', owner: 'root', contains: 'gzip on;' })
   */
  toHaveFile(path: string, expected?: FileExpectation): Promise<Awaited<R>>

  /**
   * The Pi has a systemd unit; `name` without an ending is a service.
   * @example await expect(pi).toHaveService('nginx', { running: true, enabled: true })
   */
  toHaveService(name: string, expected?: ServiceExpectation): Promise<Awaited<R>>

  /**
   * A Debian package is installed, in a version or a range of versions by Debian's order.
   * @example await expect(pi).toHavePackage('nginx-light', { version: '>=1.22 <2' })
   */
  toHavePackage(name: string, expected?: PackageExpectation): Promise<Awaited<R>>

  /**
   * Something listens on a port of the Pi.
   * @example await expect(pi).toListenOn(5432, { address: '127.0.0.1', process: 'postgres' })
   */
  toListenOn(port: number, expected?: ListenExpectation): Promise<Awaited<R>>

  /**
   * The Pi has a user. It may belong to more groups, and hold more keys, than are expected.
   * @example await expect(pi).toHaveUser('deploy', { groups: ['sudo'], shell: '/bin/bash', keys: publicKey })
   */
  toHaveUser(name: string, expected?: UserExpectation): Promise<Awaited<R>>

  /** The Pi has a group. It may have more members than are expected. */
  toHaveGroup(name: string, expected?: GroupExpectation): Promise<Awaited<R>>

  /**
   * Something is mounted at `path`.
   * @example await expect(pi).toHaveMount('/mnt/backup', { type: 'nfs4', options: ['noatime'], persistent: true })
   */
  toHaveMount(path: string, expected?: MountExpectation): Promise<Awaited<R>>

  /** A kernel module is loaded, or built into the kernel. Hyphens and underscores are equivalent in its name. */
  toHaveKernelModule(name: string, expected?: KernelModuleExpectation): Promise<Awaited<R>>

  /**
   * The kernel runs with a parameter, as it is written in /proc/cmdline; or will, as it is written in cmdline.txt.
   * @example await expect(pi).toHaveKernelParameter('cgroup_enable=memory', { nextBoot: true })
   */
  toHaveKernelParameter(parameter: string, expected?: KernelParameterExpectation): Promise<Awaited<R>>

  /**
   * A kernel setting has a value now.
   * @example await expect(pi).toHaveSysctl('net.ipv4.ip_forward', 1)
   */
  toHaveSysctl(key: string, value: Pattern | number): Promise<Awaited<R>>

  /**
   * The firmware's config.txt has an entry, which no later one of the same section overrides; of a dtparam, none that is for
   * the same overlay. It counts from the next boot.
   * @example await expect(pi).toHaveBootConfig('dtparam=i2c_arm=on')
   */
  toHaveBootConfig(entry: string, expected?: BootConfigExpectation): Promise<Awaited<R>>

  /**
   * cron runs a command: exactly this one, or one that the expression matches. Looks at /etc/crontab, /etc/cron.d and the users' own.
   * @example await expect(pi).toHaveCronJob(/backup\.sh/, { schedule: '0 3 * * *', user: 'root' })
   */
  toHaveCronJob(command: Pattern, expected?: CronJobExpectation): Promise<Awaited<R>>

  /**
   * The Pi has a systemd timer; `name` may leave out '.timer'.
   * @example await expect(pi).toHaveTimer('backup', { active: true, calendar: '*-*-* 03:00:00' })
   */
  toHaveTimer(name: string, expected?: TimerExpectation): Promise<Awaited<R>>

  /** The Pi has this host name, now and after its next boot. */
  toHaveHostname(hostname: string): Promise<Awaited<R>>

  /**
   * The Pi's time zone.
   * @example await expect(pi).toHaveTimezone('Europe/Berlin')
   */
  toHaveTimezone(timezone: string): Promise<Awaited<R>>

  /**
   * A locale has been generated.
   * @example await expect(pi).toHaveLocale('de_DE.UTF-8', { default: true })
   */
  toHaveLocale(locale: string, expected?: LocaleExpectation): Promise<Awaited<R>>

  /**
   * apt takes packages from a source, in a .list or a .sources file. A slash at the end of `uri` doesn't count.
   * @example await expect(pi).toHaveAptSource('https://download.docker.com/linux/debian', { suite: 'bookworm', components: ['stable'] })
   */
  toHaveAptSource(uri: Pattern, expected?: AptSourceExpectation): Promise<Awaited<R>>

  /** No systemd unit has failed. */
  toHaveNoFailedUnits(options?: FailedUnitsOptions): Promise<Awaited<R>>

  /**
   * The journal has no errors.
   * @example await expect(pi).toHaveCleanJournal({ since: '-5min', except: [/^kernel: bcm2835/] })
   */
  toHaveCleanJournal(options?: JournalOptions): Promise<Awaited<R>>

  /**
   * A web server answers the Pi itself; redirects are not followed, so that they can be expected.
   * @example await expect(pi).toAnswerHttp('http://localhost:8080/', { status: 200, contains: 'Welcome' })
   */
  toAnswerHttp(url: string, expected?: HttpExpectation): Promise<Awaited<R>>

  /**
   * The Pi drives a pin, counted as the SoC does. Read from the emulated controller, so the guest notices nothing of it.
   * @example await expect(pi).toHaveGpio(17, { level: 'high' })
   */
  toHaveGpio(gpio: number, expected?: GpioExpectation): Promise<Awaited<R>>
}
