using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Kist.Formats;

namespace Kist.Images.Sealed;

/// <summary>Makes EROFS images with mkfs.erofs, the same each time for the same tree. For the host only.</summary>
static class ErofsImage
{
    private const int SuperblockOffset = 1024;
    private const int BlockSize = 4096;
    private const uint Magic = 0xE0F5E1E2;

    /// <summary>Makes an image of a directory, uncompressed, a multiple of 4096 bytes long.</summary>
    public static void Create(string directory, string file, bool allRoot, CancellationToken cancellationToken)
    {
        string[] owners = allRoot ? ["--all-root"] : [];
        Run(["--quiet", "--preserve-mtime", "-U", "00000000-0000-4000-8000-000000000000", .. owners, file, directory], cancellationToken);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        var padding = -stream.Length & (BlockSize - 1);
        stream.SetLength(stream.Length + padding);
        Normalise(stream);
    }

    // The superblock holds the time of the build: build_time u64 at 24, build_time_nsec u32 at 32 (fs/erofs/erofs_fs.h). The
    // checksum at 4 is crc32c over the rest of the first block with itself as zero.
    private static void Normalise(FileStream stream)
    {
        var block = new byte[BlockSize - SuperblockOffset];
        stream.Position = SuperblockOffset;
        stream.ReadExactly(block);
        if (BinaryPrimitives.ReadUInt32LittleEndian(block) != Magic)
            throw new MalformedDataException("EROFS superblock", SuperblockOffset, "wrong magic number");
        block.AsSpan(24, 12).Clear();
        var hasChecksum = (BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(8)) & 1) != 0;
        block.AsSpan(4, 4).Clear();
        if (hasChecksum)
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4), Crc32C(block));
        stream.Position = SuperblockOffset;
        stream.Write(block);
    }

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        foreach (var b in data)
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    private static void Run(string[] arguments, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("mkfs.erofs", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new OperationFailedException("make file system", "mkfs.erofs", e.Message, "install erofs-utils", inner: e);
        }

        using (process)
        {
            using var registration = cancellationToken.Register(process.Kill);
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            cancellationToken.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
                throw new OperationFailedException("make file system", "mkfs.erofs", string.Create(CultureInfo.InvariantCulture, $"exit status {process.ExitCode}: {(error + output.Result).Trim()}"));
        }
    }
}
