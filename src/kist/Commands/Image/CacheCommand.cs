using System.CommandLine;
using Kist.Cli.Commands.Containers;
using Kist.Images;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image cache": the blobs of sealed images that this host keeps for its pods.</summary>
static class CacheCommand
{
    public static Command Create() => new("cache", "Look at, check and empty the host's cache of sealed images.")
    {
        List(), Collect(), Verify(),
    };

    private static Command List()
    {
        var json = ImageOutput.JsonOption();
        var state = StateOption.Create();
        var command = new Command("ls", "List blobs, most recently used first.") { json, state };
        command.SetAction(parse =>
        {
            Print(Open(parse, state).List(), parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Collect()
    {
        var keep = new Option<string>("--keep") { Description = "Bytes that may stay, such as 2g; what is in use stays in any case.", HelpName = "SIZE", DefaultValueFactory = _ => "0" };
        var json = ImageOutput.JsonOption();
        var state = StateOption.Create();
        var command = new Command("gc", "Remove what no pod uses, least recently used first. Prints what was removed.") { keep, json, state };
        command.SetAction(parse =>
        {
            var text = parse.GetValue(keep)!;
            Print(Open(parse, state).Collect(text == "0" ? 0 : MemorySize.Parse(text)), parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Verify()
    {
        var json = ImageOutput.JsonOption();
        var state = StateOption.Create();
        var command = new Command("verify", "Hash every whole blob and remove those that are damaged. Guests verify by themselves: this spares them errors.") { json, state };
        command.SetAction((parse, cancellationToken) =>
        {
            var wrong = Open(parse, state).Verify(cancellationToken);
            Print([.. wrong.Select(w => w.Entry)], parse.GetValue(json));
            foreach (var (entry, _) in wrong.Where(w => !w.Removed))
                Terminal.Note($"warning: {entry.Digest} is damaged and in use: its pods get I/O errors");
            return Task.FromResult(wrong.Count == 0 ? ExitCode.Success : ExitCode.Refused);
        });
        return command;
    }

    private static BlobCache Open(ParseResult parse, Option<string?> state) => new(parse.Open(state).ImageCache);

    private static void Print(IReadOnlyList<CacheEntry> entries, bool json)
    {
        var output = entries.Select(e => new CacheEntryOutput(e.Digest.ToString(), e.Bytes, e.Length, e.IsWhole, e.IsInUse, e.LastUsed)).ToList();
        if (json)
        {
            ImageOutput.Print(output, ImageJson.Output.IReadOnlyListCacheEntryOutput);
            return;
        }

        foreach (var entry in output)
            Console.Out.WriteLine($"{entry.Digest}  {TransferNotes.Megabytes(entry.Bytes)} of {TransferNotes.Megabytes(entry.Length)}{(entry.InUse ? "  in use" : "")}");
    }
}
