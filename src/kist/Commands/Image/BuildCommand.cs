using System.CommandLine;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>"kist image build": an image from directories or tar archives, the same each time.</summary>
static class BuildCommand
{
    public static Command Create()
    {
        var destination = new Argument<string>("DST") { Description = "REFERENCE or oci:DIR[:TAG]." };
        var layers = new Argument<string[]>("LAYER") { Description = "A directory, or a tar archive, for each layer; lowest first.", Arity = ArgumentArity.OneOrMore };
        var entryPoint = new Option<string[]>("--entrypoint") { Description = "The command's fixed beginning; give it once for each word." };
        var commandLine = new Option<string[]>("--cmd") { Description = "Default arguments; give it once for each word." };
        var environment = new Option<string[]>("--env", "-e") { Description = "An environment variable.", HelpName = "NAME=VALUE" };
        var user = new Option<string?>("--user") { Description = "Who runs it.", HelpName = "USER[:GROUP]" };
        var directory = new Option<string?>("--workdir") { Description = "Where it runs.", HelpName = "DIR" };
        var compression = new Option<string>("--compression") { Description = "none, gzip or zstd.", DefaultValueFactory = _ => "gzip" };
        var platform = new Option<string?>("--platform") { Description = "The platform (default: this machine's).", HelpName = "OS/ARCH" };
        var owners = new Option<bool>("--keep-owners") { Description = "Keep the owners of files; without it all belong to root." };
        var json = ImageOutput.JsonOption();
        var registry = new RegistryArguments();
        var command = new Command("build", "Make an image from directories or tar archives; the same input gives the same image.")
        {
            destination, layers, entryPoint, commandLine, environment, user, directory, compression, platform, owners, json,
        };
        registry.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var to = ImageLocation.OpenDestination(parse.GetValue(destination)!, registry.Read(parse));
            using var scope = to as IDisposable;
            var options = new ImageBuildOptions
            {
                Platform = parse.GetValue(platform) is { } text ? Platform.Parse(text) : Platform.Current,
                Compression = CompressionOf(parse.GetValue(compression)!),
                KeepOwners = parse.GetValue(owners),
                Config = new ContainerConfiguration
                {
                    EntryPoint = NullIfEmpty(parse.GetValue(entryPoint)),
                    Command = NullIfEmpty(parse.GetValue(commandLine)),
                    Environment = NullIfEmpty(parse.GetValue(environment)),
                    User = parse.GetValue(user),
                    WorkingDirectory = parse.GetValue(directory),
                },
            };
            var built = await ImageBuilder.BuildAsync(parse.GetValue(layers)!, to, options, cancellationToken);
            ImageOutput.PrintCopied(to.Location, built, parse.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static string[]? NullIfEmpty(string[]? values) => values is { Length: > 0 } ? values : null;

    private static LayerCompression CompressionOf(string text) => text switch
    {
        "none" => LayerCompression.None,
        "gzip" => LayerCompression.Gzip,
        "zstd" => LayerCompression.Zstd,
        _ => throw new MalformedDataException("compression", -1, $"'{text}' is not none, gzip or zstd"),
    };
}
