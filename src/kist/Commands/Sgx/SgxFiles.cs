using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Cli.Commands.Sgx;

/// <summary>Reading the files that the commands are given, each with a limit.</summary>
static class SgxFiles
{
    public const int MaxKeyBytes = 64 * 1024;

    public static EnclaveFile ReadEnclave(FileInfo file) => EnclaveFile.Parse(Read(file, ElfEnclave.MaxLength));

    public static Sigstruct ReadSigstruct(FileInfo file) => Sigstruct.Parse(Read(file, Sigstruct.SizeInBytes));

    public static byte[] Read(FileInfo file, long limit)
    {
        if (!file.Exists)
            throw new OperationFailedException("read", file.FullName, "there is no such file");
        using var stream = file.OpenRead();
        if (stream.Length > limit)
            throw new MalformedDataException(file.Name, -1, $"{stream.Length} bytes, more than the limit of {limit}");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Writes a secret: nobody but the owner may read the file, and an existing file is left alone.</summary>
    public static void WriteSecret(FileInfo file, ReadOnlySpan<byte> secret)
    {
        try
        {
            using var stream = new FileStream(file.FullName, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            stream.Write(secret);
        }
        catch (IOException) when (File.Exists(file.FullName))
        {
            throw new OperationFailedException(
                "write key", file.FullName, "the file exists", "choose another name; keys are never overwritten");
        }
    }
}
