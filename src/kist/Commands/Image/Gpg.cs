using System.ComponentModel;
using System.Diagnostics;
using Kist.Formats;

namespace Kist.Cli.Commands.Image;

/// <summary>Asks gpg, which keeps the user's OpenPGP keys.</summary>
static class Gpg
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The public key of a user, as gpg exports it.</summary>
    public static byte[] ExportPublicKey(string user) => Run(["--batch", "--export", "--", user], [], "export public key", user);

    /// <summary>Signs as containers-signature(5) wants it: one OpenPGP message that holds the payload.</summary>
    public static byte[] Sign(string user, byte[] payload) => Run(["--batch", "--local-user", user, "--sign", "--output", "-"], payload, "sign", user);

    private static byte[] Run(string[] arguments, byte[] input, string step, string subject)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("gpg", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var words = process.StandardError.ReadToEndAsync();
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
            var output = new byte[MaxBytes];
            var length = process.StandardOutput.BaseStream.ReadAtLeast(output, MaxBytes, throwOnEndOfStream: false);
            process.WaitForExit();
            return process.ExitCode == 0 && length > 0
                ? output[..length]
                : throw new OperationFailedException(step, subject, words.Result.Trim() is { Length: > 0 } said ? said : "gpg has no such key", "see gpg --list-keys");
        }
        catch (Win32Exception e)
        {
            throw new OperationFailedException(step, subject, $"gpg cannot be run: {e.Message}", "install gnupg", inner: e);
        }
    }
}
