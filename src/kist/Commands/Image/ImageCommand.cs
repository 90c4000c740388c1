using System.CommandLine;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image": build, encrypt, copy, look at and unpack container images.</summary>
static class ImageCommand
{
    public static Command Create() => new("image", "Build, encrypt, copy, look at and unpack container images.")
    {
        BuildCommand.Create(),
        CacheCommand.Create(),
        CopyCommand.Create("copy", "Copy an image between registries and directories, byte for byte.", "SRC", "DST"),
        EncryptCommand.Create(),
        InspectCommand.Create(),
        KeyProviderCommand.Create(),
        CopyCommand.CreatePull(),
        CopyCommand.CreatePush(),
        SealCommand.Create(),
        SignCommand.Create(),
        UnpackCommand.Create(),
        VerifyCommand.Create(),
    };
}
