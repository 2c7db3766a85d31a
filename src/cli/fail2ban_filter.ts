/**
 * A filter for fail2ban.
 *
 * @module
 */

/**
 * The filter, and a jail that uses it. What it matches is part of what the log promises. A client cannot write such a
 * line: in text each thing that it says is one word or comes after, in JSON it comes after and in quotation marks.
 */
export const FAIL2BAN_FILTER = String.raw`# /etc/fail2ban/filter.d/socks-server.conf
#
# Addresses whose logins are refused. /etc/fail2ban/jail.d/socks-server.conf that uses it:
#
#   [socks-server]
#   enabled  = true
#   filter   = socks-server
#   backend  = systemd
#   port     = 1080
#   maxretry = 5
#
# With a log file (logFile) instead of the journal:
#
#   backend  = auto
#   logpath  = /var/log/socks-server/socks.log

[Definition]
# What the journal puts before a line.
_journal = (?:\S+ [\w.-]+(?:\[\d+\])?: +)?
# Lines of JSON, and lines of text.
failregex = ^\s*%(_journal)s(?:\{"time":"[^"]*")?,"level":"info","event":"session","id":\d+,"end":"refused","refusal":"authentication","client":"<ADDR>","clientPort":\d+[,}]
            ^\s*%(_journal)s(?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d)?\s*INFO +#\d+ <ADDR>:\d+(?: \S+ \S+ \S+)?, \d[\d.]* \w+(?: \d+ \w+)?, login refused:
ignoreregex =
datepattern = ^%%Y-%%m-%%d %%H:%%M:%%S
              ^\{"time":"%%Y-%%m-%%dT%%H:%%M:%%S(?:\.\d+)?%%z"
journalmatch = _SYSTEMD_UNIT=socks-server.service
`;
