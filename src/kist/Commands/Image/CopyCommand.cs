using System.CommandLine;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image copy", "pull" and "push".</summary>
static class CopyCommand
{
    private const string Places = "REFERENCE, oci:DIR[:TAG] or docker-archive:FILE[:NAME]";

    public static Command Create(string name, string description, string sourceName, string destinationName)
    {
        var source = new Argument<string>(sourceName) { Description = "From where: " + Places + "." };
        var destination = new Argument<string>(destinationName) { Description = "To where: REFERENCE or oci:DIR[:TAG]." };
        return Create(name, description, source, destination, text => text, text => text);
    }

    /// <summary>"pull REFERENCE DIRECTORY".</summary>
    public static Command CreatePull() => Create(
        "pull", "Copy an image from a registry into a directory (an OCI layout).",
        new Argument<string>("REFERENCE") { Description = "The image." },
        new Argument<string>("DIR[:TAG]") { Description = "The directory." },
        text => text, text => "oci:" + text);

    /// <summary>"push DIRECTORY REFERENCE".</summary>
    public static Command CreatePush() => Create(
        "push", "Copy an image from a directory (an OCI layout) to a registry.",
        new Argument<string>("DIR[:TAG]") { Description = "The directory." },
        new Argument<string>("REFERENCE") { Description = "The image." },
        text => "oci:" + text, text => text);

    private static Command Create(
        string name, string description, Argument<string> source, Argument<string> destination,
        Func<string, string> sourceLocation, Func<string, string> destinationLocation)
    {
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var command = new Command(name, description) { source, destination, json };
        registry.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var options = registry.Read(parse);
            var from = ImageLocation.OpenSource(sourceLocation(parse.GetValue(source)!), options);
            using var fromScope = from as IDisposable;
            var to = ImageLocation.OpenDestination(destinationLocation(parse.GetValue(destination)!), options);
            using var toScope = to as IDisposable;
            var copied = await ImageCopier.CopyAsync(from, to, TransferNotes.Create(), cancellationToken);
            ImageOutput.PrintCopied(to.Location, copied, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }
}
