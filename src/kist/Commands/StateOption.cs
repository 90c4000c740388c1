using System.CommandLine;
using Kist.Host;

namespace Kist.Cli.Commands;

/// <summary>The option --state, which most commands on this host share.</summary>
static class StateOption
{
    public static Option<string?> Create() => new("--state")
    {
        Description = "Directory for everything that kist keeps (default: KIST_HOME, or ~/.local/state/kist)",
        HelpName = "DIR",
    };

    public static StateDirectory Open(this ParseResult parse, Option<string?> option) =>
        StateDirectory.Open(parse.GetValue(option) ?? StateDirectory.DefaultRoot());

    public static ContainerStore OpenContainers(this ParseResult parse, Option<string?> option)
    {
        var store = new ContainerStore(parse.Open(option), TimeProvider.System);
        store.Reconcile();
        return store;
    }
}
