using Kist.Formats;

namespace Kist.Rune.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Parse_CommandLineOfContainerd_HasItsParts()
    {
        var line = CommandLine.Parse(
            ["--root", "/r", "--log", "/l", "--log-format", "json", "create", "--bundle", "/b", "--pid-file", "/p", "--no-pivot", "the-id"]);
        Assert.Equal("create", line.Command);
        Assert.Equal("/r", line.GlobalValue("--root"));
        Assert.Equal("/b", line.Value("--bundle", "-b"));
        Assert.Equal("the-id", line.Id);
        Assert.Equal(
            ["--root", "/r", "--log", "/l", "--log-format", "json", "create", "--bundle", "/other", "--pid-file", "/p", "--no-pivot", "the-id"],
            line.WithBundle("/other"));
    }

    [Fact]
    public void Parse_Exec_LeavesTheCommandAlone()
    {
        var line = CommandLine.Parse(["exec", "-d", "--env", "A=b", "id", "/bin/sh", "-c", "--bundle x"]);
        Assert.True(line.Has("--detach", "-d"));
        Assert.Equal(["id", "/bin/sh", "-c", "--bundle x"], line.Operands);
    }

    /// <summary>The file that names the program is gone when the process that stays looks for it.</summary>
    [Fact]
    public void ExecInForeground_HasTheProgramItself()
    {
        var line = CommandLine.Parse(["--root", "/r", "exec", "--process", "/tmp/p", "--detach", "--pid-file", "/pid", "id"]);
        Assert.Equal(["--root", "/r", "exec", "id", "/bin/echo", "-d"], line.ExecInForeground(["/bin/echo", "-d"], false, null));
        var again = CommandLine.Parse([.. line.ExecInForeground(["/bin/sh"], true, "/console")]);
        Assert.True(again.Has("--tty") && !again.Has("--detach", "-d"));
        Assert.Equal("/console", again.Value("--console-socket"));
        Assert.Equal(["id", "/bin/sh"], again.Operands);
    }

    [Fact]
    public void Parse_ForceAndFormat_AreToldApart()
    {
        Assert.Equal("id", CommandLine.Parse(["delete", "-f", "id"]).Id);
        Assert.True(CommandLine.Parse(["delete", "-f", "id"]).Has("-f"));
        Assert.Equal("json", CommandLine.Parse(["list", "-f", "json"]).Value("--format", "-f"));
        Assert.Equal("/b", CommandLine.Parse(["run", "--bundle=/b", "id"]).Value("--bundle", "-b"));
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a\nb")]
    public void Id_NotAnIdentifier_IsRefused(string id) => Assert.Throws<OperationFailedException>(() => CommandLine.Parse(["state", id]).Id);

    [Fact]
    public void Parse_NoCommand_HasNone()
    {
        Assert.Null(CommandLine.Parse(["--version"]).Command);
        Assert.Null(CommandLine.Parse([]).Command);
        Assert.Throws<OperationFailedException>(() => CommandLine.Parse(["state"]).Id);
    }
}
