"""Residual networks whose features can be tapped half way, as both papers on privileged information do."""

from torch import Tensor, flatten, nn, tensor

from fercore.networks.weights import published

PUBLISHED = {  # block, blocks per stage -> torchvision's name of ImageNet's weights, at a width of 64
    ("bottleneck", (3, 4, 6, 3)): "ResNet50_Weights",
    ("basic", (3, 4, 6, 3)): "ResNet34_Weights",
}
BLOCKS = ("basic", "bottleneck")  # of ResNet-34 and smaller, of ResNet-50 and larger
STAGES = 4  # conv2_x to conv5_x
WEIGHTS = ("imagenet", "random")  # what a network starts from
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours; the published weights expect them


class TappedResNet(nn.Module):
    """ResNet (He et al. 2016) of any width and depth, with the feature map h at the end of conv3_x in reach.

    Layers are torchvision's, under torchvision's names: at a width of 64 its published weights fit.
    """

    def __init__(self, block: str, depth: tuple[int, ...], n_classes: int, width: int = 64):
        from torchvision.models.resnet import BasicBlock, Bottleneck  # seconds to import: where a network is built

        super().__init__()
        residual = dict(zip(BLOCKS, (BasicBlock, Bottleneck), strict=True))[block]
        self.kind = (block, tuple(depth)) if width == 64 else None  # whose published weights fit
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i, blocks in enumerate(depth):
            layers = []
            for j in range(blocks):
                layers.append(_block(residual, inputs, width * 2**i, stride=2 if i > 0 and j == 0 else 1))
                inputs = width * 2**i * residual.expansion
            self.add_module(f"layer{i + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(inputs, n_classes)
        self.tap_channels = 2 * width * residual.expansion
        self.register_buffer("mean", tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", tensor(SPREAD)[:, None, None], persistent=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def tap(self, image: Tensor) -> Tensor:
        """The feature map h: B x 3 x H x W in [0, 1] -> B x C x H/8 x W/8; C is 512 in ResNet-50, 128 in ResNet-34."""
        hidden = self.bn1(self.conv1((image - self.mean) / self.spread)).relu()
        return self.layer2(self.layer1(nn.functional.max_pool2d(hidden, 3, stride=2, padding=1)))

    def pooled(self, h: Tensor) -> Tensor:
        """What the last layer sees: the rest of the network on h, averaged over the map, B x F."""
        return flatten(nn.functional.adaptive_avg_pool2d(self.layer4(self.layer3(h)), 1), 1)

    def forward(self, image: Tensor) -> Tensor:
        """Class scores before the softmax, B x K."""
        return self.fc(self.pooled(self.tap(image)))

    def load_published(self) -> None:
        """Take ImageNet's weights for all but the last layer, whose classes differ.

        Raises WeightsError where they are not to be had, ValueError for a network that has none.
        """
        if self.kind not in PUBLISHED:
            raise ValueError(
                "only ResNet-34 and ResNet-50 of full width have published weights; choose weights = 'random'"
            )
        from torchvision import models

        state = published(getattr(models, PUBLISHED[self.kind]).IMAGENET1K_V1)
        own = {key: value for key, value in self.state_dict().items() if key.startswith("fc.")}
        self.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")} | own)


def load_published(*networks: TappedResNet) -> None:
    """Let networks start from ImageNet's weights; raises as their own ``load_published`` does."""
    for network in networks:
        network.load_published()


def _block(kind: type[nn.Module], inputs: int, width: int, stride: int) -> nn.Module:
    """One residual block; its shortcut is a 1 x 1 convolution where shapes differ."""
    outputs = width * kind.expansion
    if stride == 1 and inputs == outputs:
        return kind(inputs, width)
    shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
    return kind(inputs, width, stride, shortcut)


def tap_side(image_size: int) -> int:
    """Side of h for a square image: three halvings, each rounded up."""
    return -(-image_size // 8)
