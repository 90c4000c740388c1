using System.CommandLine;

namespace Kist.Cli.Tests.Sessions;

/// <summary>Every command explains itself, and wrong command lines are refused with exit code 2.</summary>
public sealed class CommandLineTests
{
    public static TheoryData<string> Paths()
    {
        var data = new TheoryData<string>();
        Collect(CommandTree.Create(), "");
        return data;

        void Collect(Command command, string path)
        {
            foreach (var child in command.Subcommands)
            {
                var childPath = $"{path} {child.Name}".Trim();
                data.Add(childPath);
                Collect(child, childPath);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Command_HasDescription_AndSoHasEachOfItsSymbols(string path)
    {
        Command command = CommandTree.Create();
        foreach (var name in path.Split(' '))
            command = command.Subcommands.Single(c => c.Name == name);
        Assert.False(string.IsNullOrWhiteSpace(command.Description), $"{path} has no description");
        if (command.Hidden)
            return;
        Assert.All(command.Options, o => Assert.False(string.IsNullOrWhiteSpace(o.Description), $"{path} {o.Name} has no description"));
        Assert.All(command.Arguments, a => Assert.False(string.IsNullOrWhiteSpace(a.Description), $"{path} {a.Name} has no description"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("logs")]
    [InlineData("ps", "--nonsense")]
    public void Parse_WrongLine_HasErrors(params string[] line) => Assert.NotEmpty(CommandTree.Create().Parse(line).Errors);
}
