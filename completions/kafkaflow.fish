# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kafkaflow_global_optspecs
    string join \n v/verbose h/help V/version
end

function __fish_kafkaflow_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kafkaflow_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kafkaflow_using_subcommand
    set -l cmd (__fish_kafkaflow_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -s h -l help -d 'Print help'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -s V -l version -d 'Print version'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "init" -d 'Write out the files that are part of kafkaflow, to begin with: topology, schemas, catalogue, templates'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "validate" -d 'Check a topology file; no cluster is needed'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "explain" -d 'Say why a rule exists, with an example of what is wrong and what is right'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "validate-event" -d 'Check events against their schemas: of files, or of a live topic'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "schema" -d 'Work with the events\' schemas; no cluster is needed'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "plan" -d 'Show what `apply` would change; nothing is changed'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "apply" -d 'Bring a cluster to what the file says'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "snapshot" -d 'Write the cluster\'s observed state as JSON'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "outbox" -d 'What services announce, and what became of it'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "run" -d 'Run one service of the design, until SIGTERM or Ctrl-C'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "up" -d 'Run all services of the design in one process, on a cluster that is brought to what the topology says'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "stock" -d 'How much there is of each product'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "graph" -d 'Draw who writes to which topic, who reads it, and where its failures go'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "export" -d 'Write the topology in another form'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "completions" -d 'Write the completions of a shell to standard output'
complete -c kafkaflow -n "__fish_kafkaflow_needs_command" -f -a "man" -d 'Write the manual page to standard output, or every command\'s page into a folder'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand init" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate" -l env -d 'Lay an environment of the file over its base before checking' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate" -l format -d 'How to write the problems' -r -f -a "table\t'For people: each problem underlined in the file'
json\t'For programs'
github\t'For GitHub Actions: annotations on the lines of a pull request'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate" -l all -d 'Show every problem, not only the first 50'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand explain" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l type -d 'Take every document for this event, whatever it says of itself (`OrderPlaced`, or one version: `OrderPlaced.v1`)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l topic -d 'Also check that this topic may carry the events and that its key field is there' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l schema -d 'Judge by this JSON Schema alone (draft 4 to 2020-12, as its `$schema` says)' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l schemas -d 'Folder of the event schemas, `EVENT.vN.json` [default: what the topology names, or `schemas`]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l topology -d 'The topology file [default: topology.yaml, if there is one]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l env -d 'Lay an environment of the topology over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l format -d 'How to write the violations' -r -f -a "table\t'For people: an excerpt for each violation on a terminal, a line for each elsewhere'
json\t'For programs'
github\t'For GitHub Actions: annotations on the lines of a pull request'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l max-errors -d 'Violations that are shown; the rest is counted (0 = all)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l max-size -d 'The largest document' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l threads -d 'Threads that judge [default: one for each processor]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l from-topic -d 'Judge the records of this topic; joins no group and commits nothing' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l from -d 'Where to begin in each partition: `earliest`, `latest`, a time ago (`-1h`) or an offset' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l count -d 'End after so many records' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l no-rules -d 'Leave out the rules that go beyond the schemas, like the sum of an order'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -s q -l quiet -d 'Say nothing, end at the first violation: the exit code tells'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -l follow -d 'Wait for new records at the end, until Ctrl-C'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand validate-event" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and not __fish_seen_subcommand_from check sample" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and not __fish_seen_subcommand_from check sample" -s h -l help -d 'Print help'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and not __fish_seen_subcommand_from check sample" -f -a "check" -d 'Check that versions of the events\' schemas can follow each other'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and not __fish_seen_subcommand_from check sample" -f -a "sample" -d 'Write example events of a type, one a line'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -l against -d 'Compare with another folder, or with the same one in a git revision (`main`, `v1.2.0`) [default: the earlier versions in the folder]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -l mode -d 'Who has to be able to read what' -r -f -a "backward\t'The new version reads what was written with the one before: upgrade consumers first'
backward-transitive\t'The new version reads what was written with any earlier one'
forward\t'The version before reads what is written with the new one: upgrade producers first'
forward-transitive\t'Every earlier version reads what is written with the new one'
full\t'Both: in whatever order'
full-transitive\t'Both, with every earlier version'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -l policy -d 'How much is demanded' -r -f -a "lenient\t'Writers send only the properties that their schema describes, readers fill in defaults: an optional property may be added to an event that takes any'
strict\t'Whatever the writer\'s schema accepts has to be read'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -l format -d 'How to write the breaks' -r -f -a "table\t'For people'
json\t'For programs'
github\t'For GitHub Actions: annotations on the lines of a pull request'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -l schemas -d 'Folder of the event schemas, `EVENT.vN.json` [default: what topology.yaml names, or `schemas`]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -s n -l count -d 'How many' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -l seed -d 'Another seed makes other events, the same one the same' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -l schemas -d 'Folder of the event schemas, `EVENT.vN.json` [default: what topology.yaml names, or `schemas`]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -l invalid -d 'Make events that are almost right'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand schema; and __fish_seen_subcommand_from sample" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l env -d 'Environment of the file to lay over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l topic -d 'Only the file\'s topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l against -d 'Plan against a saved snapshot instead of a cluster (see `kafkaflow snapshot`)' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l out -d 'Save the plan for `kafkaflow apply --plan`; signed when KAFKAFLOW_PLAN_KEY is set' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l format -d 'How to write the plan' -r -f -a "table\t'For people'
json\t'For programs: docs/plan-json.md'
markdown\t'For pull requests'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -l require-verification -d 'Fail when the login may not ask the broker about a change'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l env -d 'Environment of the file to lay over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l topic -d 'Only the file\'s topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l plan -d 'Execute a plan that `kafkaflow plan --out` saved' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l timeout -d 'Stop trying after this long; the request in hand is finished' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -s y -l yes -d 'Do not ask'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l no-wait -d 'Do not wait until every broker knows of the changes'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -l require-verification -d 'Fail when the login may not ask the broker about a change'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand snapshot" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand snapshot" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand snapshot" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand snapshot" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and not __fish_seen_subcommand_from status verify dead" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and not __fish_seen_subcommand_from status verify dead" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and not __fish_seen_subcommand_from status verify dead" -f -a "status" -d 'How many events wait, for how long, and how many no broker takes'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and not __fish_seen_subcommand_from status verify dead" -f -a "verify" -d 'Hold the outbox against its topics: is everything there that was published, and in order?'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and not __fish_seen_subcommand_from status verify dead" -f -a "dead" -d 'Events that no broker takes, and what to do about them'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from status" -l format -r -f -a "table\t''
json\t''"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from status" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from status" -l service -d 'One service\'s store, by its name or as `run` has it (`order`); without it all that are there' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -l format -r -f -a "table\t''
json\t''"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -l service -d 'One service\'s store, by its name or as `run` has it (`order`); without it all that are there' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -l retry -d 'Publish the row of this number again, or `all` of them' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -l drop -d 'Give the row of this number up for good' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -l format -r -f -a "table\t''
json\t''"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -l service -d 'One service\'s store, by its name or as `run` has it (`order`); without it all that are there' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand outbox; and __fish_seen_subcommand_from dead" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and not __fish_seen_subcommand_from order inventory notification" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and not __fish_seen_subcommand_from order inventory notification" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and not __fish_seen_subcommand_from order inventory notification" -f -a "order" -d 'The order service: takes orders over HTTP, confirms or cancels them as the inventory answers'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and not __fish_seen_subcommand_from order inventory notification" -f -a "inventory" -d 'The inventory service: reserves stock for orders, all items of an order or none'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and not __fish_seen_subcommand_from order inventory notification" -f -a "notification" -d 'The notification service: sends mails, text messages and words to the operators, as events ask for them'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l settings -d 'A file with settings: the flags\' names and values, as YAML; flags and environment win' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l topology -d 'The topology file [default: the one that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l env -d 'Lay an environment of the topology over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database [default: sqlite:.kafkaflow]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l instance -d 'A name that outlives a restart (group.instance.id): partitions wait for it instead of moving' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l session-timeout -d 'How long the group waits for an instance that says nothing, in seconds [default: 10]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l listen -d 'Where HTTP is served; port 0 takes a free one' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l catalog -d 'Products and prices [default: the catalogue that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l api-token-file -d 'A file with the bearer token that clients must have' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l reserve -d 'How stock is reserved [default: events]' -r -f -a "events\t'By an event; the order is PENDING until its answer comes'
http\t'By a call of the inventory\'s POST /reservations; the client waits for it'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l inventory -d 'With --reserve http: where the inventory takes reservations [default: http://127.0.0.1:8081]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l inventory-token-file -d 'A file with the bearer token that the inventory asks for' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l reserve-within -d 'How long the inventory\'s answer is waited for [default: 2s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l payments -d 'Who takes the money of confirmed orders [default: simulated]' -r -f -a "none\t'Nobody: payments are not captured'
simulated\t'A provider that takes nothing and remembers its answers'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l decline-rate -d 'Which part of the charges the simulated provider declines, from 0 to 1 [default: 0]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l print-config -d 'Print what is in effect, as such a file, and end'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -l anonymous -d 'Serve others than this machine without a token'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from order" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l settings -d 'A file with settings: the flags\' names and values, as YAML; flags and environment win' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l topology -d 'The topology file [default: the one that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l env -d 'Lay an environment of the topology over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database [default: sqlite:.kafkaflow]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l instance -d 'A name that outlives a restart (group.instance.id): partitions wait for it instead of moving' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l session-timeout -d 'How long the group waits for an instance that says nothing, in seconds [default: 10]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l listen -d 'Where HTTP is served; port 0 takes a free one' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l catalog -d 'Products and their opening stock [default: the catalogue that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l operators -d 'Who is told of products that are short: an operators\' list [default: operations]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l reservation-token-file -d 'A file with the bearer token that whoever reserves must have' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l delay -d 'Answer so much later: to try out what a slow inventory does to orders [default: 0s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l print-config -d 'Print what is in effect, as such a file, and end'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -l reservations -d 'Take reservations by POST /reservations too, for an order service with --reserve http'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from inventory" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l settings -d 'A file with settings: the flags\' names and values, as YAML; flags and environment win' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l topology -d 'The topology file [default: the one that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l env -d 'Lay an environment of the topology over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database [default: sqlite:.kafkaflow]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l instance -d 'A name that outlives a restart (group.instance.id): partitions wait for it instead of moving' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l session-timeout -d 'How long the group waits for an instance that says nothing, in seconds [default: 10]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l listen -d 'Where HTTP is served; port 0 takes a free one' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l templates -d 'A folder of templates, NAME.txt, NAME.html, NAME.sms [default: those that are part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l batch -d 'How many notifications are taken at once [default: 100]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l batch-wait -d 'How long a batch that is not full waits for more [default: 250ms]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l email -d 'Where mails go: console, file:PATH, smtp://HOST, smtps://HOST or a webhook\'s address [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l sms -d 'Where text messages go; no smtp [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l operator -d 'Where words to the operators go [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l without-address -d 'Where notifications for customers without an address go: console or file:PATH [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l rate -d 'How many a provider takes, such as 50/s or 1000/h; of each instance [default: no limit]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l burst -d 'How many a provider takes at once after a quiet time [default: 1]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l connections -d 'Connections to a provider [default: 4]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l send-timeout -d 'How long a provider may take for an answer [default: 10s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l from -d 'Who mails come from: an address, or a name and an address' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l list -d 'The address of an operators\' list, such as operations=ops@example.com; may be repeated' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l smtp-user -d 'The name to log in with' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l smtp-password-file -d 'A file with its password, read for every login' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l webhook-token-file -d 'A file with the bearer token of webhooks, read for every call' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l webhook-batch -d 'How many notifications a call has: of 1 its body is one, else an array [default: 1]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l print-config -d 'Print what is in effect, as such a file, and end'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -l smtp-plain -d 'smtp:// without encryption, for a relay on this machine'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand run; and __fish_seen_subcommand_from notification" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l settings -d 'A file with settings: the flags\' names and values, as YAML; flags and environment win' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l topology -d 'The topology file [default: the one that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l env -d 'Lay an environment of the topology over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database [default: sqlite:.kafkaflow]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l instance -d 'A name that outlives a restart (group.instance.id): partitions wait for it instead of moving' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l session-timeout -d 'How long the group waits for an instance that says nothing, in seconds [default: 10]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l listen -d 'Where HTTP is served; port 0 takes a free one' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l inventory-listen -d 'Where the inventory\'s operations are served [default: 127.0.0.1:8081]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l notification-listen -d 'Where the notification service\'s operations are served [default: 127.0.0.1:8082]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l catalog -d 'Products and prices [default: the catalogue that is part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l api-token-file -d 'A file with the bearer token that clients must have' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l reserve -d 'How stock is reserved [default: events]' -r -f -a "events\t'By an event; the order is PENDING until its answer comes'
http\t'By a call of the inventory\'s POST /reservations; the client waits for it'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l inventory -d 'With --reserve http: where the inventory takes reservations [default: http://127.0.0.1:8081]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l inventory-token-file -d 'A file with the bearer token that the inventory asks for' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l reserve-within -d 'How long the inventory\'s answer is waited for [default: 2s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l payments -d 'Who takes the money of confirmed orders [default: simulated]' -r -f -a "none\t'Nobody: payments are not captured'
simulated\t'A provider that takes nothing and remembers its answers'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l decline-rate -d 'Which part of the charges the simulated provider declines, from 0 to 1 [default: 0]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l operators -d 'Who is told of products that are short: an operators\' list [default: operations]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l reservation-token-file -d 'A file with the bearer token that whoever reserves must have' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l delay -d 'Answer so much later: to try out what a slow inventory does to orders [default: 0s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l templates -d 'A folder of templates, NAME.txt, NAME.html, NAME.sms [default: those that are part of kafkaflow]' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l batch -d 'How many notifications are taken at once [default: 100]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l batch-wait -d 'How long a batch that is not full waits for more [default: 250ms]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l email -d 'Where mails go: console, file:PATH, smtp://HOST, smtps://HOST or a webhook\'s address [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l sms -d 'Where text messages go; no smtp [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l operator -d 'Where words to the operators go [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l without-address -d 'Where notifications for customers without an address go: console or file:PATH [default: console]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l rate -d 'How many a provider takes, such as 50/s or 1000/h; of each instance [default: no limit]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l burst -d 'How many a provider takes at once after a quiet time [default: 1]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l connections -d 'Connections to a provider [default: 4]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l send-timeout -d 'How long a provider may take for an answer [default: 10s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l from -d 'Who mails come from: an address, or a name and an address' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l list -d 'The address of an operators\' list, such as operations=ops@example.com; may be repeated' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l smtp-user -d 'The name to log in with' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l smtp-password-file -d 'A file with its password, read for every login' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l webhook-token-file -d 'A file with the bearer token of webhooks, read for every call' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l webhook-batch -d 'How many notifications a call has: of 1 its body is one, else an array [default: 1]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l load -d 'Place this many orders, show what becomes of them, and end: `500/s`' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l for -d 'How long orders are placed [default: 60s]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l print-config -d 'Print what is in effect, as such a file, and end'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -s y -l yes -d 'Do not ask'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l anonymous -d 'Serve others than this machine without a token'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l reservations -d 'Take reservations by POST /reservations too, for an order service with --reserve http'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -l smtp-plain -d 'smtp:// without encryption, for a relay on this machine'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and not __fish_seen_subcommand_from list set adjust" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and not __fish_seen_subcommand_from list set adjust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and not __fish_seen_subcommand_from list set adjust" -f -a "list" -d 'What is available of each product, and what is reserved for orders'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and not __fish_seen_subcommand_from list set adjust" -f -a "set" -d 'Say how many pieces of a product are available, whatever it was before'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and not __fish_seen_subcommand_from list set adjust" -f -a "adjust" -d 'Add pieces to what is available of a product, or take some away: `adjust PROD-101 -- -5`'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from list" -l format -r -f -a "table\t''
json\t''
markdown\t''"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from list" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from set" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from adjust" -l store -d 'The services\' stores: a folder of SQLite files, or a PostgreSQL database' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from adjust" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand stock; and __fish_seen_subcommand_from adjust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand graph" -l env -d 'Environment of the file to lay over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand graph" -l topic -d 'Only the file\'s topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand graph" -l format -d 'The language of the graph' -r -f -a "mermaid\t'For Markdown on GitHub and GitLab: put it into a ```mermaid block'
dot\t'For Graphviz'"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand graph" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and not __fish_seen_subcommand_from asyncapi docs" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and not __fish_seen_subcommand_from asyncapi docs" -s h -l help -d 'Print help'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and not __fish_seen_subcommand_from asyncapi docs" -f -a "asyncapi" -d 'An AsyncAPI 3.0 document: topics as channels, services\' sending and receiving as operations'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and not __fish_seen_subcommand_from asyncapi docs" -f -a "docs" -d 'A page of Markdown: the graph, every topic, event and service'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l env -d 'Environment of the file to lay over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l topic -d 'Only the file\'s topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l service -d 'Only what this service sends and receives' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l api-version -d 'Version of what is described, `info.version`: a release, a commit' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l format -d 'How to write the document' -r -f -a "yaml\t''
json\t''"
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -s b -l brokers -d 'Brokers to ask first [env: KAFKAFLOW_BROKERS]' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -s X -d 'A client property, as librdkafka or Java name it; wins over --config' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -l config -d 'A client.properties file' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from asyncapi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from docs" -l env -d 'Environment of the file to lay over its base' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from docs" -l topic -d 'Only the file\'s topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)' -r
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from docs" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand export; and __fish_seen_subcommand_from docs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand completions" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand man" -l dir -d 'Folder for kafkaflow.1, kafkaflow-plan.1, …' -r -F
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand man" -s v -l verbose -d 'Say more about what is done, on standard error (-vv: every connection and request)'
complete -c kafkaflow -n "__fish_kafkaflow_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
