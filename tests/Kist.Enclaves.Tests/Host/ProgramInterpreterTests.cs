using System.Text;
using Kist.Enclaves.Host;

namespace Kist.Enclaves.Tests.Host;

public sealed class ProgramInterpreterTests
{
    [Theory]
    [InlineData("#!/bin/sh\necho", "/bin/sh")]
    [InlineData("#! /usr/bin/env python3\n", "/usr/bin/env")]
    [InlineData("#!/bin/sh -x", "/bin/sh")]
    [InlineData("#!relative\n", null)]
    [InlineData("#!", null)]
    [InlineData("plain text", null)]
    [InlineData("", null)]
    public void Find_Script_IsItsInterpreter(string head, string? interpreter) =>
        Assert.Equal(interpreter, ProgramInterpreter.Find(Encoding.ASCII.GetBytes(head)) is { } path ? Encoding.ASCII.GetString(path) : null);

    [Fact]
    public void Find_RealProgram_IsTheDynamicLinker()
    {
        var head = File.ReadAllBytes("/bin/ls").AsSpan(0, 4096);
        Assert.Equal("/lib64/ld-linux-x86-64.so.2", Encoding.ASCII.GetString(ProgramInterpreter.Find(head)!));
        for (var length = 0; length < 1024; length++)
            ProgramInterpreter.Find(head[..length]);
        Assert.Null(ProgramInterpreter.Find(head[..64]));
    }
}
