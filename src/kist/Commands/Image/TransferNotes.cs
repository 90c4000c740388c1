using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>Tells people what is being sent, in order, where standard error is a terminal.</summary>
static class TransferNotes
{
    public static IProgress<TransferProgress>? Create() => Terminal.ErrorIsTerminal ? new Lines() : null;

    private sealed class Lines : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => Terminal.Note(
            $"{value.Digest.Hex[..12]} {Megabytes(value.Total)}{(value.AlreadyThere ? ", already there" : "")}");
    }

    public static string Megabytes(long bytes) => bytes < 1_000_000 ? $"{bytes / 1000.0:0.0} kB" : $"{bytes / 1_000_000.0:0.0} MB";
}
