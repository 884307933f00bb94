/** The names by which git tells its hooks which repository they are of. https://git-scm.com/docs/git#_environment_variables */
const ofRepository = new Set([
  ...['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_PREFIX', 'GIT_INDEX_FILE'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_QUARANTINE_PATH', 'GIT_NAMESPACE'],
  ...['GIT_SHALLOW_FILE', 'GIT_GRAFT_FILE', 'GIT_REPLACE_REF_BASE'],
])

/**
 * `env` without what git tells a hook of the repository whose hook it is: another repository's git would write into that
 * one. Settings that are given by GIT_CONFIG_COUNT and the like stay, for a CI may have its access to repositories in them.
 */
export function withoutRepository(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofRepository.has(name)))
}
