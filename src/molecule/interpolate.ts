/**
 * Puts environment variables into the text of a molecule.yml as Molecule does, before it is read as YAML: `$NAME`,
 * `${NAME}`, `${NAME-default}`, `${NAME:-default}` with a `$OTHER` as default, `$$` for a dollar sign; a variable that is
 * not set is empty. https://docs.ansible.com/projects/molecule/configuration/#variable-substitution
 */
export function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    /\$(?:(\$)|([_a-z][_a-z0-9]*)|\{([_a-z][_a-z0-9]*)(?:(:?-)([^}]*))?\})/gi,
    (_whole, dollar, plain, name, operator, fallback = '') => {
      if (dollar) return '$'
      const value = env[plain ?? name]
      if (operator === undefined) return value ?? ''
      const other = fallback.startsWith('$') ? (env[fallback.slice(1)] ?? '') : fallback
      return operator === ':-' ? value || other : (value ?? other)
    },
  )
}
