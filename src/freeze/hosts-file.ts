/**
 * Statements of Perl by which /etc/hosts calls the Pi `$hostname` where it has called it `$name`. Only the whole name is meant: one of
 * `raspberrypi` leaves `archive.raspberrypi.com` as it is. In the line of a Debian's own name (`127.0.1.1`) it may have a domain.
 * https://www.debian.org/doc/manuals/debian-reference/ch05.en.html#_the_hostname_resolution
 */
export const renameInHosts = [
  'if ($name and open my $file, "<", "/etc/hosts") {',
  '  my $hosts = join "", <$file>;',
  '  $hosts =~ s/(?<![\\w.-])\\Q$name\\E(?![\\w.-])/$hostname/g;',
  '  $hosts =~ s/^(127\\.0\\.1\\.1\\s+)\\Q$name\\E(?=\\.)/$1$hostname/gm;',
  // What is appended later begins a line.
  '  $hosts =~ s/\\n*\\z/\\n/;',
  '  if (open my $new, ">", "/etc/hosts") { print $new $hosts }',
  '}',
]
