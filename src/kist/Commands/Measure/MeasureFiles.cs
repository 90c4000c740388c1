using Kist.Cli.Commands.Verify;
using Kist.Measurement.Firmware;
using Kist.Measurement.Uefi;

namespace Kist.Cli.Commands.Measure;

/// <summary>Reads the artefacts that the commands name, each within its own limit.</summary>
static class MeasureFiles
{
    public static byte[] Firmware(string path) => EvidenceFiles.Read(path, OvmfImage.MaximumSize);

    public static byte[] Image(string path) => EvidenceFiles.Read(path, PeImage.MaximumSize);

    public static byte[]? Optional(string? path) => path is null ? null : Image(path);

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            File.WriteAllBytes(path, content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Kist.Formats.OperationFailedException("write", path, e.Message, inner: e);
        }
    }
}
